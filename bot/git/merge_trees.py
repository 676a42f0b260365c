"""Merges of three trees, as git makes them, one at a time or many in one process.

Owns how git is asked and how its answer is read. Throw-away commits state the trees to `git merge-tree`, so neither
history nor a worktree is needed. What a merge means is not decided here.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from bot.errors import GitError, OutOfTime
from bot.git.objects import EMPTY_TREE
from bot.git.process import ProcessResult
from bot.git.repository import Quarantine
from bot.git.trees import differing_paths
from bot.git.unmerged_paths import Stages, parse_stages
from bot.models import Sha, Signature

_NOBODY = Signature("backport-bot", "backport-bot@localhost", "0 +0000")
_ATTRIBUTES = ".gitattributes"
_BEARING = re.compile(rb"merge|binary|marker")
_MACRO = re.compile(rb"^\s*\[attr\].*(?:merge|binary|marker)", re.MULTILINE)
# What a trial writes is thrown away, so pressing it small is time lost.
_THROWN_AWAY = ("-c", "core.looseCompression=0")

_SHARE = 4
"""Merges that are worth a process of their own."""

Attributes = tuple[tuple[str, bytes], ...]
"""Paths and contents of .gitattributes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """Three trees to merge. `commits` are those of base and theirs, where the one is the other's only parent."""

    base: Sha
    ours: Sha
    theirs: Sha
    commits: tuple[Sha, Sha] | None = None


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What git makes of three trees: the tree it wrote, the unmerged stages by path, and its own verdict.

    That verdict alone tells a conflict that leaves no unmerged path. `label` marks ours in what git wrote.
    """

    tree: Sha
    stages: dict[str, Stages]
    clean: bool
    label: Sha


def merge_one(
    repository: Quarantine,
    trees: Trees,
    attributes: Attributes,
    options: tuple[str, ...] = (),
    seconds: float | None = None,
) -> MergeResult:
    """Merge three trees under some attributes; `options` are git's own, before its subcommand.

    Raises:
        GitError: git could not do it, e.g. an object of a partial history is missing.
        OutOfTime: it took longer than `seconds`.
    """
    labels = stand_ins(repository, trees)
    done = run_merge(repository, labels, _attributes_directory(repository, attributes), options, seconds=seconds)
    if done.code not in (0, 1):
        raise repository.git.error(done, f"Merging the tree {trees.theirs[:12]} could not be tried")
    return _read(done.stdout.split(b"\0"), labels, clean=done.code == 0)


def merge_many(
    repository: Quarantine,
    wanted: Mapping[Trees, Attributes],
    options: tuple[str, ...] = (),
    seconds: float | None = None,
    processes: int = 1,
) -> Iterator[tuple[Trees, MergeResult | GitError]]:
    """Merge many under the attributes given, and yield each with what it came to; git's error where it cannot.

    Where there are enough of them, so many `processes` at a time share them out, and go on while answers are looked at.

    Raises:
        OutOfTime: all of them together took longer than `seconds`.
    """
    end = time.monotonic() + seconds if seconds is not None else None
    batches: dict[Attributes, list[Trees]] = defaultdict(list)
    for trees, attributes in wanted.items():
        batches[attributes].append(trees)
    # git reads attributes from one directory a process; each is whole before the first process starts.
    worktrees = {attributes: _attributes_directory(repository, attributes) for attributes in batches}
    shares = [(attributes, each) for attributes, batch in batches.items() for each in _shared_out(batch, processes)]

    def left() -> float | None:
        return None if end is None else max(0.0, end - time.monotonic())

    def run(share: tuple[Attributes, Sequence[Trees]]) -> dict[Trees, MergeResult | GitError]:
        attributes, some = share
        labels = [stand_ins(repository, trees) for trees in some]
        lines = "".join(f"{ours} {theirs}\n" for ours, theirs in labels)
        done = run_merge(repository, ("--stdin",), worktrees[attributes], options, lines.encode(), left())
        if done.code:  # git knows no batches, or one merge ended them all
            return {trees: _alone(repository, trees, attributes, options, left()) for trees in some}
        answers = zip(some, labels, _split(done.stdout), strict=True)
        return {trees: _read(fields, each, clean=clean) for trees, each, (clean, fields) in answers}

    with ThreadPoolExecutor(processes) as threads:
        for done in threads.map(run, shares):
            yield from done.items()


def _shared_out(batch: Sequence[Trees], processes: int) -> list[Sequence[Trees]]:
    """Cut into shares, none so small that the start of a process would not pay.

    There are more than processes: whoever is done takes the next, as merges onto neighbouring branches take alike long
    and onto others many times that.
    """
    size = max(_SHARE, -(-len(batch) // (4 * processes))) if processes > 1 else len(batch)
    return [batch[start : start + size] for start in range(0, len(batch), size)]


def _alone(
    repository: Quarantine, trees: Trees, attributes: Attributes, options: tuple[str, ...], seconds: float | None
) -> MergeResult | GitError:
    try:
        return merge_one(repository, trees, attributes, options, seconds)
    except OutOfTime:
        raise
    except GitError as error:
        return error


def _split(output: bytes) -> Iterator[tuple[bool, list[bytes]]]:
    """Yield each answer of a batch: git's verdict ("1" is clean), the tree, the stages, and an empty field."""
    fields = output.split(b"\0")
    position = 0
    while position < len(fields) - 1:
        end = fields.index(b"", position)
        yield fields[position] == b"1", fields[position + 1 : end]
        position = end + 1


def _read(fields: Sequence[bytes], labels: tuple[Sha, Sha], *, clean: bool) -> MergeResult:
    tree, *lines = fields
    return MergeResult(Sha(tree.decode()), parse_stages((line for line in lines if line), labels), clean, labels[0])


def run_merge(
    repository: Quarantine,
    what: Sequence[str],
    worktree: Path | None = None,
    options: tuple[str, ...] = (),
    stdin: bytes = b"",
    seconds: float | None = None,
) -> ProcessResult:
    """Run git's merge of two commits, or of those that stdin names."""
    return repository.git.attempt(
        *(*_THROWN_AWAY, *options, "merge-tree", "--write-tree", "-z", "--no-messages", *what),
        stdin=stdin,
        variables={"GIT_WORK_TREE": str(worktree)} if worktree else None,
        cwd=worktree,
        seconds=seconds,
    )


def stand_ins(repository: Quarantine, trees: Trees) -> tuple[Sha, Sha]:
    """Write the commits that stand for ours and theirs; their common ancestor is one for base.

    What is there as a commit needs none: writing is most of what a trial costs beside git's own merge. A commit with
    several parents is no such thing, because git would walk along all of them for the common ancestor.
    """
    if EMPTY_TREE in (trees.base, trees.ours, trees.theirs):
        repository.writer.write("tree", b"")  # git knows the empty tree, but not every command finds it unwritten
    if trees.commits is not None:
        ancestor, theirs = trees.commits
        return _stand_in(repository, trees.ours, ancestor, repository.commit(theirs).committer), theirs
    ancestor = _stand_in(repository, trees.base)
    return _stand_in(repository, trees.ours, ancestor), _stand_in(repository, trees.theirs, ancestor)


def _stand_in(repository: Quarantine, tree: Sha, parent: Sha | None = None, dated: Signature = _NOBODY) -> Sha:
    # git looks at the newest commits first, so one as old as its parent is soon found to be its child.
    nobody = replace(_NOBODY, date=dated.date)
    return repository.writer.write_commit(tree, [parent] if parent else [], "", nobody, nobody)


def _attributes_directory(repository: Quarantine, attributes: Attributes) -> Path | None:
    """Return a directory with these .gitattributes, or None where there are none; it lasts as long as the quarantine.

    A bare repository shows git no attributes, so `merge=union` and the like would be lost; a worktree has them all.
    """
    if not attributes:
        return None
    digest = hashlib.sha256(repr(attributes).encode()).hexdigest()
    directory = repository.scratch / f"attributes-{digest[:16]}"
    if not directory.exists():
        for path, content in attributes:
            written = directory / path
            written.parent.mkdir(parents=True, exist_ok=True)
            written.write_bytes(content)
    return directory


def attributes_of(repository: Quarantine, trees: Trees, moved: Iterable[str] = ()) -> Attributes:
    """Return the .gitattributes of the target that can bear on a merge of what the original changed.

    Those of where git found it on the target are among them only if that is given as `moved`.
    """
    changed = (*differing_paths(repository, trees.base, trees.theirs), *moved)
    paths = [each + _ATTRIBUTES for each in sorted({parent for path in changed for parent in _parents(path)})]
    found = zip(paths, repository.read_all((trees.ours, path) for path in paths), strict=True)
    held = [(path, content) for path, content in found if content]
    # Only the root's file can give a set of attributes a name, and then any other may mean them by it.
    named = any(path == _ATTRIBUTES and _MACRO.search(content) for path, content in held)
    return tuple((path, content) for path, content in held if named or _BEARING.search(content))


def _parents(path: str) -> Iterator[str]:
    """Yield the directories that a path is in, each with the "/" at its end; the root is empty."""
    yield ""
    for at, sign in enumerate(path):
        if sign == "/":
            yield path[: at + 1]
