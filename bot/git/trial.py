"""Trial picks: what `git cherry-pick` would make of a commit on a tree, on objects alone.

Owns the merge of one pick. A pick is a merge of the target and the original with the original's parent as base; three
throw-away commits state exactly that to `git merge-tree`, so neither history nor a worktree is needed. Writes into a
quarantine only; how a series becomes commits is not decided here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from bot.git.conflicts import Stages, UnmergedFile, describe, parse_stages
from bot.git.objects import EMPTY_TREE, SUBMODULE, SYMLINK
from bot.git.process import Completed
from bot.git.regions import MARKER_SIZE, Parts, split_regions
from bot.git.repository import Quarantined
from bot.git.tree import differing_paths, find_entry
from bot.model import Commit, Sha, Signature

_NOBODY = Signature("backport-bot", "backport-bot@localhost", "0 +0000")
_ATTRIBUTES = ".gitattributes"

Attributes = tuple[tuple[str, bytes], ...]
"""Paths and contents of .gitattributes."""


@dataclass(frozen=True, slots=True)
class CleanPick:
    """The pick applies; `tree` is the whole tree with it."""

    tree: Sha


@dataclass(frozen=True, slots=True)
class EmptyPick:
    """The pick changes nothing: the tree has it already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmergedPick:
    """The pick conflicts. `tree` is what git wrote, with markers: never to be committed as it is. `base`, `onto` and
    `theirs` are the trees that were merged.

    `files` is empty for conflicts that concern no single file, such as a directory renamed into two.
    """

    commit: Sha
    base: Sha
    onto: Sha
    theirs: Sha
    tree: Sha
    files: tuple[UnmergedFile, ...]


def mainline_parent(commit: Commit) -> Sha | None:
    """Return the parent that a pick is made against: the first, which for a merge commit is the base branch's side.

    git accepts `-m 1` for ordinary commits without a word, so the commit itself decides. None for a root commit.
    """
    return commit.parents[0] if commit.parents else None


def tree_before(repository: Quarantined, commit: Commit) -> Sha:
    """Return the tree that a commit changed."""
    parent = mainline_parent(commit)
    return repository.commit(parent).tree if parent else EMPTY_TREE


def try_pick(repository: Quarantined, commit: Sha, onto: Sha) -> CleanPick | EmptyPick | UnmergedPick:
    """Pick one commit onto a tree."""
    picked = repository.commit(commit)
    return merge_trees(repository, commit, base=tree_before(repository, picked), ours=onto, theirs=picked.tree)


def merge_trees(
    repository: Quarantined, commit: Sha, *, base: Sha, ours: Sha, theirs: Sha
) -> CleanPick | EmptyPick | UnmergedPick:
    """Merge three trees as git does; `commit` only says in the answer what this was for.

    Raises:
        GitError: git could not do it, e.g. an object of a partial history is missing.
    """
    labels = stand_ins(repository, base, ours, theirs)
    attributes = tuple(merge_attributes(repository, ours, differing_paths(repository, base, theirs)))
    with attributes_directory(attributes) as worktree:
        done = merge(repository, labels, worktree)
    if done.code not in (0, 1):
        raise repository.git.error(done, f"Picking {commit[:12]} could not be tried")
    tree, stages = parse_answer(done.stdout.split(b"\0"), labels)
    pick = UnmergedPick(commit=commit, base=base, onto=ours, theirs=theirs, tree=tree, files=())
    return conclude(repository, pick, stages, labels[0], clean=done.code == 0)


def conclude(
    repository: Quarantined, pick: UnmergedPick, stages: dict[str, Stages], ours_label: Sha, *, clean: bool
) -> CleanPick | EmptyPick | UnmergedPick:
    """Name the ending of a merge, given as a pick without files; `clean` is git's own verdict.

    That verdict alone tells a conflict that leaves no unmerged path.
    """
    if clean and not stages:
        return EmptyPick() if pick.tree == pick.onto else CleanPick(pick.tree)
    files = (describe(repository, path, each, pick.tree, ours_label) for path, each in stages.items())
    return replace(pick, files=tuple(files))


def split_unmerged(repository: Quarantined, pick: UnmergedPick) -> dict[str, Parts]:
    """Return settled text and regions of each file that git could merge in part."""
    labels = stand_ins(repository, pick.base, pick.onto, pick.theirs)
    changed = differing_paths(repository, pick.base, pick.theirs)
    attributes = tuple(merge_attributes(repository, pick.onto, changed))
    with attributes_directory(attributes) as worktree, _marker_style() as style:
        tree, stages = parse_answer(merge(repository, labels, worktree, style).stdout.split(b"\0"), labels)
    found = {}
    for path, each in stages.items():
        merged = find_entry(repository, tree, each.written)
        sides = [each.entries.get(stage) for stage in (1, 2, 3)]
        if merged is None or any(entry and entry.mode in (SUBMODULE, SYMLINK) for entry in (*sides, merged)):
            continue
        base, ours, theirs = (repository.read_blob(entry.sha) if entry else None for entry in sides)
        found[path] = split_regions(repository.read_blob(merged.sha), base=base, ours=ours, theirs=theirs)
    return found


@contextmanager
def _marker_style() -> Iterator[tuple[str, ...]]:
    with tempfile.NamedTemporaryFile("w", prefix="backport-markers-") as attributes:
        attributes.write(f"* conflict-marker-size={MARKER_SIZE}\n")
        attributes.flush()
        yield "-c", "merge.conflictStyle=diff3", "-c", f"core.attributesFile={attributes.name}"


def merge(
    repository: Quarantined,
    what: Sequence[str],
    worktree: Path | None,
    options: tuple[str, ...] = (),
    stdin: bytes = b"",
) -> Completed:
    """Run git's merge of two commits, or of those that stdin names."""
    return repository.git.attempt(
        *(*options, "merge-tree", "--write-tree", "-z", "--no-messages", *what),
        stdin=stdin,
        variables={"GIT_WORK_TREE": str(worktree)} if worktree else None,
        cwd=worktree,
    )


def stand_ins(repository: Quarantined, base: Sha, ours: Sha, theirs: Sha) -> tuple[Sha, Sha]:
    """Write the commits that stand for ours and theirs; their common ancestor is one for base."""

    def stand_in(tree: Sha, *parents: Sha) -> Sha:
        return repository.writer.write_commit(tree, parents, "", _NOBODY, _NOBODY)

    repository.writer.write("tree", b"")  # git knows the empty tree, but not every command finds it unwritten
    ancestor = stand_in(base)
    return stand_in(ours, ancestor), stand_in(theirs, ancestor)


def parse_answer(fields: Sequence[bytes], labels: tuple[Sha, Sha]) -> tuple[Sha, dict[str, Stages]]:
    """Read the tree and the unmerged stages that a merge leaves."""
    tree, *lines = fields
    return Sha(tree.decode()), parse_stages((line for line in lines if line), labels)


@contextmanager
def attributes_directory(attributes: Attributes) -> Iterator[Path | None]:
    """Yield a directory with these .gitattributes, or None where there are none.

    A bare repository shows git no attributes, so `merge=union` and the like would be lost; a worktree has them all.
    """
    if not attributes:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="backport-attributes-") as scratch:
        for path, content in attributes:
            written = Path(scratch, path)
            written.parent.mkdir(parents=True, exist_ok=True)
            written.write_bytes(content)
        yield Path(scratch)


def merge_attributes(repository: Quarantined, tree: Sha, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the .gitattributes of a tree that can bear on a merge of these paths."""
    directories = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    for directory in sorted(directories):
        path = _ATTRIBUTES if directory == "." else f"{directory}/{_ATTRIBUTES}"
        content = repository.read(tree, path) or b""
        if any(word in content for word in (b"merge", b"binary", b"marker")):
            yield path, content
