"""Trial picks: what `git cherry-pick` would make of a commit on a tree, on objects alone.

Owns what a pick is: a merge of the target and the original with the original's parent as base. Writes into a quarantine
only; how a series becomes commits is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.git.line_ends import align_trees
from bot.git.merge_trees import MergeResult, Trees, merge_one
from bot.git.narrow_merge import MergePlan, plan_merge, widen
from bot.git.objects import EMPTY_TREE
from bot.git.repository import Quarantine
from bot.git.unmerged_paths import UnmergedFile, describe
from bot.models import Commit, Sha


@dataclass(frozen=True, slots=True)
class CleanPick:
    """The pick applies; `tree` is the whole tree with it."""

    tree: Sha


@dataclass(frozen=True, slots=True)
class EmptyPick:
    """The pick changes nothing: the tree has it already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmergedPick:
    """The pick conflicts. `tree` is what git wrote, with markers: never to be committed as it is. `trees` were merged.

    `files` is empty for conflicts that concern no single file, such as a directory renamed into two.
    """

    commit: Sha
    trees: Trees
    tree: Sha
    files: tuple[UnmergedFile, ...]


def mainline_parent(commit: Commit) -> Sha | None:
    """Return the parent that a pick is made against: the first, which for a merge commit is the base branch's side.

    git accepts `-m 1` for ordinary commits without a word, so the commit itself decides. None for a root commit.
    """
    return commit.parents[0] if commit.parents else None


def trees_of(repository: Quarantine, commit: Sha, onto: Sha) -> Trees:
    """Return what picking a commit onto a tree is to merge."""
    picked = repository.commit(commit)
    parent = mainline_parent(picked)
    if parent is None:
        return Trees(base=EMPTY_TREE, ours=onto, theirs=picked.tree)
    commits = (parent, commit) if len(picked.parents) == 1 else None
    return Trees(base=repository.commit(parent).tree, ours=onto, theirs=picked.tree, commits=commits)


def try_pick(repository: Quarantine, commit: Sha, onto: Sha) -> CleanPick | EmptyPick | UnmergedPick:
    """Pick one commit onto a tree."""
    return merge_trees(repository, commit, trees_of(repository, commit, onto))


def merge_trees(repository: Quarantine, commit: Sha, trees: Trees) -> CleanPick | EmptyPick | UnmergedPick:
    """Merge three trees as git does; `commit` only says in the answer what this was for.

    Raises:
        GitError: git could not do it, e.g. an object of a partial history is missing.
    """
    asked = plan_merge(repository, trees, alone=True)
    merged = merge_one(repository, asked.trees, asked.attributes) if asked.trees else None
    return conclude(repository, commit, asked, merged)


def conclude(
    repository: Quarantine, commit: Sha, asked: MergePlan, answer: MergeResult | None
) -> CleanPick | EmptyPick | UnmergedPick:
    """Name the ending of a merge, given git's answer to what it was asked about it.

    Where the original's line ends alone are in the way it is merged once more with the branch's.
    """
    pick = _ending(repository, commit, asked, answer)
    aligned = align_trees(repository, pick.trees, pick.files) if isinstance(pick, UnmergedPick) else None
    if aligned is None:
        return pick
    again = plan_merge(repository, aligned, alone=True)
    merged = merge_one(repository, again.trees, again.attributes) if again.trees else None
    return _ending(repository, commit, again, merged)


def _ending(
    repository: Quarantine, commit: Sha, asked: MergePlan, answer: MergeResult | None
) -> CleanPick | EmptyPick | UnmergedPick:
    trees, merged = asked.whole, widen(repository, asked, answer)
    if merged.clean and not merged.stages:
        return EmptyPick() if merged.tree == trees.ours else CleanPick(merged.tree)
    files = describe(repository, merged.stages, merged.tree, merged.label)
    return UnmergedPick(commit=commit, trees=trees, tree=merged.tree, files=files)
