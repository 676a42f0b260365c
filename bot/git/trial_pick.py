"""Makes trial picks: the result of `git cherry-pick` on a tree, made of objects alone.

A pick is a merge of the target and the original, with the original's parent as base. It writes into a quarantine only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.git.left_out import tree_without
from bot.git.line_endings import align_trees
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

    `files` is empty for conflicts of no single file, such as a directory renamed into two.
    """

    commit: Sha
    trees: Trees
    tree: Sha
    files: tuple[UnmergedFile, ...]


def mainline_parent(commit: Commit) -> Sha | None:
    """Return the parent that a pick is made against: the first, which for a merge commit is the base branch's side.

    git silently accepts `-m 1` for ordinary commits, so the commit itself decides. None for a root commit.
    """
    return commit.parents[0] if commit.parents else None


def trees_of(repository: Quarantine, commit: Sha, target: Sha, leave_out: Sequence[str] = ()) -> Trees:
    """Return the trees that a pick of a commit merges; `leave_out` are globs of files that are not picked."""
    original = repository.commit(commit)
    parent = mainline_parent(original)
    base = repository.commit(parent).tree if parent is not None else EMPTY_TREE
    theirs = tree_without(repository, base, original.tree, leave_out)
    # The commits stand for their own trees only.
    is_whole = theirs == original.tree and len(original.parents) == 1
    return Trees(base=base, ours=target, theirs=theirs, commits=(original.parents[0], commit) if is_whole else None)


def try_pick(
    repository: Quarantine, commit: Sha, target: Sha, leave_out: Sequence[str] = ()
) -> CleanPick | EmptyPick | UnmergedPick:
    """Pick one commit onto a tree, without its changes in files that a glob of `leave_out` matches."""
    return merge_trees(repository, commit, trees_of(repository, commit, target, leave_out))


def merge_trees(repository: Quarantine, commit: Sha, trees: Trees) -> CleanPick | EmptyPick | UnmergedPick:
    """Merge three trees as git does; `commit` only labels the result.

    Raises:
        GitError: git could not do it, e.g. an object of a partial history is missing.
    """
    plan = plan_merge(repository, trees, single=True)
    result = merge_one(repository, plan.trees, plan.attributes) if plan.trees else None
    return conclude(repository, commit, plan, result)


def conclude(
    repository: Quarantine, commit: Sha, plan: MergePlan, answer: MergeResult | None
) -> CleanPick | EmptyPick | UnmergedPick:
    """Return a merge's result as a pick, given git's merge of the planned trees.

    If only the original's line ends conflict, it is merged once more with the branch's.
    """
    pick = _ending(repository, commit, plan, answer)
    aligned_trees = align_trees(repository, pick.trees, pick.files) if isinstance(pick, UnmergedPick) else None
    if aligned_trees is None:
        return pick
    second_plan = plan_merge(repository, aligned_trees, single=True)
    result = merge_one(repository, second_plan.trees, second_plan.attributes) if second_plan.trees else None
    return _ending(repository, commit, second_plan, result)


def _ending(
    repository: Quarantine, commit: Sha, plan: MergePlan, answer: MergeResult | None
) -> CleanPick | EmptyPick | UnmergedPick:
    trees, result = plan.full, widen(repository, plan, answer)
    if result.clean and not result.stages:
        return EmptyPick() if result.tree == trees.ours else CleanPick(result.tree)
    files = describe(repository, result.stages, result.tree, result.label)
    return UnmergedPick(commit=commit, trees=trees, tree=result.tree, files=files)
