"""Merges three trees as git does, one merge at a time or many in one process.

Throw-away commits hold the trees for `git merge-tree`, so that neither history nor a worktree is needed:
https://git-scm.com/docs/git-merge-tree. GitPython has no batches of it.
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

from bot.errors import FetchFailed, GitError, OutOfTime
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
# A trial's objects are thrown away, so compressing them is time lost.
_THROWN_AWAY = ("-c", "core.looseCompression=0")

_SHARE = 4
"""Merges that are worth a process of their own."""

Attributes = tuple[tuple[str, bytes], ...]
"""Paths and contents of .gitattributes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """Three trees to merge. `commits` are those of base and theirs, if the one is the other's only parent."""

    base: Sha
    ours: Sha
    theirs: Sha
    commits: tuple[Sha, Sha] | None = None


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The result of a merge: the tree that git wrote, the unmerged stages by path, and git's own verdict.

    Only the verdict shows a conflict that leaves no unmerged path. `label` marks ours in what git wrote.
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
    result = run_merge(repository, labels, _attributes_directory(repository, attributes), options, seconds=seconds)
    if result.code not in (0, 1):
        raise repository.git.error(result, f"Merging the tree {trees.theirs[:12]} could not be tried")
    return _read(result.stdout.split(b"\0"), labels, clean=result.code == 0)


def merge_many(
    repository: Quarantine,
    requests: Mapping[Trees, Attributes],
    options: tuple[str, ...] = (),
    seconds: float | None = None,
    processes: int = 1,
) -> Iterator[tuple[Trees, MergeResult | GitError]]:
    """Merge many under the attributes given, and yield each with its result, or git's error.

    Up to so many `processes` run at a time, and go on while the caller looks at results.

    Raises:
        OutOfTime: all of them together took longer than `seconds`.
    """
    end = time.monotonic() + seconds if seconds is not None else None
    batches: dict[Attributes, list[Trees]] = defaultdict(list)
    for trees, attributes in requests.items():
        batches[attributes].append(trees)
    # A git process reads attributes from one directory; all are written before the first process starts.
    worktrees = {attributes: _attributes_directory(repository, attributes) for attributes in batches}
    shares = [(attributes, part) for attributes, batch in batches.items() for part in _divide(batch, processes)]

    def remaining() -> float | None:
        return None if end is None else max(0.0, end - time.monotonic())

    def run(share: tuple[Attributes, Sequence[Trees]]) -> dict[Trees, MergeResult | GitError]:
        attributes, batch_part = share
        labels = [stand_ins(repository, trees) for trees in batch_part]
        lines = "".join(f"{ours} {theirs}\n" for ours, theirs in labels)
        result = run_merge(repository, ("--stdin",), worktrees[attributes], options, lines.encode(), remaining())
        if result.code:  # this git has no batches, or one merge ended them all
            return {trees: _merge_single(repository, trees, attributes, options, remaining()) for trees in batch_part}
        answers = zip(batch_part, labels, _split(result.stdout), strict=True)
        return {trees: _read(fields, label, clean=clean) for trees, label, (clean, fields) in answers}

    with ThreadPoolExecutor(processes) as threads:
        for result in threads.map(run, shares):
            yield from result.items()


def _divide(batch: Sequence[Trees], processes: int) -> list[Sequence[Trees]]:
    """Divide into parts, none so small that starting a process for it would not pay.

    There are more parts than processes: a process that is done takes the next one. Merges onto neighbouring branches
    take alike long, and onto others many times that.
    """
    size = max(_SHARE, -(-len(batch) // (4 * processes))) if processes > 1 else len(batch)
    return [batch[start : start + size] for start in range(0, len(batch), size)]


def _merge_single(
    repository: Quarantine, trees: Trees, attributes: Attributes, options: tuple[str, ...], seconds: float | None
) -> MergeResult | GitError:
    try:
        return merge_one(repository, trees, attributes, options, seconds)
    except (OutOfTime, FetchFailed):
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
    arguments: Sequence[str],
    worktree: Path | None = None,
    options: tuple[str, ...] = (),
    stdin: bytes = b"",
    seconds: float | None = None,
) -> ProcessResult:
    """Run `git merge-tree` for two commits, or for those that stdin names."""
    return repository.git.attempt(
        *(*_THROWN_AWAY, *options, "merge-tree", "--write-tree", "-z", "--no-messages", *arguments),
        stdin=stdin,
        variables={"GIT_WORK_TREE": str(worktree)} if worktree else None,
        cwd=worktree,
        seconds=seconds,
        ready=True,  # each stand-in is a child of the other side's parent, whatever came before that
    )


def stand_ins(repository: Quarantine, trees: Trees) -> tuple[Sha, Sha]:
    """Write commits for ours and theirs, with a common ancestor for base.

    An existing commit is used if there is one: writing is most of what a trial costs beside git's own merge. Commits
    with several parents are not used, because git would walk along all of them for the common ancestor.
    """
    if EMPTY_TREE in (trees.base, trees.ours, trees.theirs):
        repository.writer.write("tree", b"")  # git knows the empty tree, but not every command finds it unwritten
    if trees.commits is not None:
        ancestor, theirs = trees.commits
        return _stand_in(repository, trees.ours, ancestor, repository.commit(theirs).committer), theirs
    ancestor = _stand_in(repository, trees.base)
    return _stand_in(repository, trees.ours, ancestor), _stand_in(repository, trees.theirs, ancestor)


def _stand_in(repository: Quarantine, tree: Sha, parent: Sha | None = None, signature: Signature = _NOBODY) -> Sha:
    # git visits the newest commits first, so with its parent's date it soon finds that it is the child.
    identity = replace(_NOBODY, date=signature.date)
    return repository.writer.write_commit(tree, [parent] if parent else [], "", identity, identity)


def _attributes_directory(repository: Quarantine, attributes: Attributes) -> Path | None:
    """Return a directory with these .gitattributes, or None if there are none; it lasts as long as the quarantine.

    In a bare repository git reads no attributes, so `merge=union` and the like would be lost; a worktree has them all.
    """
    if not attributes:
        return None
    digest = hashlib.sha256(repr(attributes).encode()).hexdigest()
    directory = repository.scratch / f"attributes-{digest[:16]}"
    if not directory.exists():
        for path, content in attributes:
            file = directory / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    return directory


def attributes_of(repository: Quarantine, trees: Trees, more_paths: Iterable[str] = ()) -> Attributes:
    """Return the .gitattributes of the target that can bear on a merge of what the original changed.

    Give the paths at which git found a moved file on the target as `more_paths`, to include their attributes.
    """
    all_paths = (*differing_paths(repository, trees.base, trees.theirs), *more_paths)
    directories = sorted({parent for path in all_paths for parent in _parents(path)})
    paths = [directory + _ATTRIBUTES for directory in directories]
    contents = zip(paths, repository.read_all((trees.ours, path) for path in paths), strict=True)
    files = [(path, content) for path, content in contents if content]
    # Only the root's file can give a set of attributes a name, and then any other may mean them by it.
    has_macro = any(path == _ATTRIBUTES and _MACRO.search(content) for path, content in files)
    return tuple((path, content) for path, content in files if has_macro or _BEARING.search(content))


def _parents(path: str) -> Iterator[str]:
    """Yield the directories that a path is in, each with the "/" at its end; the root is empty."""
    yield ""
    for index, sign in enumerate(path):
        if sign == "/":
            yield path[: index + 1]
