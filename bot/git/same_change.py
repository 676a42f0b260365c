"""Says whether one commit makes or reverts another commit's change, by comparing their lines.

Anybody can write that a commit is a pick or a revert of another one, so the lines decide. Backports are adapted, so not
all lines have to be there: of 4,621 past ones of aiohttp and ansible 98.5 % make at least half of the original's.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from bot.git.diff_text import normalize, readable_patches
from bot.git.objects import decode_path
from bot.git.trees import commit_paths, find_entry
from bot.models import Sha
from bot.text.globs import matches_any

if TYPE_CHECKING:
    from bot.git.repository import Repository

Pair = tuple[Sha, Sha]
"""A commit and the commit that it says it picked or took back."""

_ENOUGH = 0.5
"""The share of the other commit's lines."""
_CHUNK = 200
_AT_ONCE = 2
_FILE = re.compile(rb"^diff --git ", re.MULTILINE)
_HUNK = re.compile(rb"^@@ .*\n", re.MULTILINE)
_BLOBS = re.compile(rb"^index ([0-9a-f]+)\.\.([0-9a-f]+)", re.MULTILINE)
_MODES = re.compile(rb"^old mode (\d+)\nnew mode (\d+)", re.MULTILINE)
# Braces and the like are in every change.
_WORDS = re.compile(rb"\w\W*\w")


@dataclass(slots=True)
class _File:
    """What a commit does to one file. Lines are those that it adds ("+…") and removes ("-…"), without white space."""

    path: str
    kind: str
    lines: Counter[bytes] = field(default_factory=Counter)

    @property
    def telling(self) -> Counter[bytes]:
        """The distinctive lines; all lines if none is."""
        return Counter({line: n for line, n in self.lines.items() if _WORDS.search(line, 1)}) or self.lines


def makes(repository: Repository, commit: Sha, original: Sha, leave_out: Sequence[str] = ()) -> bool:
    """Say whether a commit makes the change of another one, or most of it; for `leave_out` see `borne_out`."""
    return bool(borne_out(repository, [(commit, original)], leave_out=leave_out))


def resembles(repository: Repository, commit: Sha, original: Sha) -> bool:
    """Say whether a commit could be an adapted form of another one.

    It changes one of the same files, or makes the same lines in others, e.g. after a move. This is enough to learn from
    a person's backport, and too little to count as landed.
    """
    names = [{_name(path) for path in commit_paths(repository, repository.commit(sha))} for sha in (commit, original)]
    if not names[0].isdisjoint(names[1]):
        return True
    lines = [
        Counter(line for file in _files(patch) for line in file.telling.elements())
        for patch in readable_patches(repository, [commit, original]).values()
    ]
    return len(lines) > 1 and (lines[0] & lines[1]).total() >= lines[1].total() * _ENOUGH > 0


def undoes(repository: Repository, commit: Sha, target: Sha) -> bool:
    """Say whether a commit takes the change of another one back, or most of it."""
    return bool(borne_out(repository, [(commit, target)], reverse=True))


def borne_out(
    repository: Repository, pairs: Collection[Pair], *, reverse: bool = False, leave_out: Sequence[str] = ()
) -> set[Pair]:
    """Return the pairs in which the first commit makes the change of the second one, or most of it.

    With `reverse` it takes that change back. A pair that git cannot read is not returned. Files count that the first
    commit could change: those that its parent has or the second commit adds. Those that a glob of `leave_out` matches
    do not count, unless the second commit changes no others.
    """
    pairs_in_order = sorted(set(pairs))
    chunks = [pairs_in_order[begin : begin + _CHUNK] for begin in range(0, len(pairs_in_order), _CHUNK)]
    # git makes the next patches while these are read.
    with ThreadPoolExecutor(_AT_ONCE) as readers:
        results = readers.map(lambda chunk: _borne_out(repository, chunk, leave_out, reverse=reverse), chunks)
        return {pair for chunk in results for pair in chunk}


def _borne_out(
    repository: Repository, pairs: Sequence[Pair], leave_out: Sequence[str], *, reverse: bool
) -> Iterator[Pair]:
    patches = readable_patches(repository, sorted({sha for pair in pairs for sha in pair}))
    changes = cache(lambda sha: list(_files(patches[sha])))
    equal = cache(lambda sha: normalize(patches[sha]))
    for commit, original in pairs:
        if commit not in patches or original not in patches:
            continue
        # Most picks are the same to the letter, which is quicker to see.
        if not reverse and patches[original].strip() and equal(commit) == equal(original):
            yield commit, original
            continue
        files = [_reverse(file) for file in changes(original)] if reverse else changes(original)
        relevant_files = [file for file in files if not matches_any(leave_out, file.path)]
        if _covers(repository, commit, changes(commit), relevant_files or files):
            yield commit, original


def _covers(repository: Repository, commit: Sha, files: Sequence[_File], expected_files: Iterable[_File]) -> bool:
    by_path = {file.path: file.lines for file in files}
    by_name: dict[str, Counter[bytes]] = defaultdict(Counter)
    for file in files:
        by_name[_name(file.path)] += file.lines
    common = total = 0
    for file in expected_files:
        lines = by_path.get(file.path)
        if lines is None and not _lacks(repository, commit, file.path):
            lines = Counter()
        # A file that the branch has in another directory keeps its name; one that it does not have cannot be changed.
        lines = by_name.get(_name(file.path)) if lines is None else lines
        if lines is not None or file.kind == "A":
            common += (file.telling & (lines or Counter())).total()
            total += file.telling.total()
    return total > 0 and common >= total * _ENOUGH


def _lacks(repository: Repository, commit: Sha, path: str) -> bool:
    """Say whether the commit's parent lacks a file. A name that git quotes counts as present."""
    parents = repository.commit(commit).parents
    return not path.startswith('"') and not (
        parents and find_entry(repository, repository.commit(parents[0]).tree, path) is not None
    )


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _reverse(file: _File) -> _File:
    signs = {b"+": b"-", b"-": b"+"}
    lines = Counter({signs.get(line[:1], line[:1]) + line[1:]: n for line, n in file.lines.items()})
    return _File(file.path, {"A": "D", "D": "A"}.get(file.kind, file.kind), lines)


def _files(patch: bytes) -> Iterator[_File]:
    """Read a diff without renames, in which both names of a file are one."""
    for text in _FILE.split(patch)[1:]:
        head, *hunks = _HUNK.split(text)
        names = head.partition(b"\n")[0]
        path = names[: len(names) // 2].replace(b"a/", b"", 1)
        kind = "A" if b"\nnew file mode " in head else "D" if b"\ndeleted file mode " in head else "M"
        yield _File(decode_path(path), kind, Counter(_lines(head, hunks)))


def _lines(head: bytes, hunks: Iterable[bytes]) -> Iterator[bytes]:
    empty = True
    for line in (line for hunk in hunks for line in hunk.split(b"\n")):
        if line[:1] in (b"+", b"-") and (text := b"".join(line[1:].split())):
            empty = False
            yield line[:1] + text
    if empty:
        # A binary file, an empty one or a change of the mode: what git says of it is all there is.
        for pattern in (_BLOBS, _MODES):
            for old, new in pattern.findall(head):
                yield b"-" + old
                yield b"+" + new
