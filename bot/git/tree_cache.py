"""Tree objects as directories, with a cache: a pick asks for the same ones again and again.

A tree never changes, so what is cached is never wrong. The cache is bounded by entries, not by trees, because a
directory can hold thousands. GitPython makes an object of every entry: 9 µs each in place of 2
(`tests/bench/bench_gitpython.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from bot.errors import GitError
from bot.git.objects import (
    DIRECTORY,
    EMPTY_TREE,
    EXECUTABLE,
    REGULAR,
    SUBMODULE,
    SYMLINK,
    Entry,
    ObjectReader,
    decode_path,
    encode_path,
    split_tree,
)
from bot.models import Sha

# About 300 bytes each.
_MOST_ENTRIES = 60_000
# Of each the paths are kept, which of most commits are few.
_MOST_COMPARED = 32
# A few kilobytes of trees that hold each other many times over stand for billions of files.
_MOST_DIFFERING = 1_000_000
_TREE = DIRECTORY.encode()
_MODES = frozenset(mode.encode() for mode in (REGULAR, EXECUTABLE, SYMLINK, SUBMODULE, DIRECTORY))

Listing = Mapping[bytes, tuple[bytes, bytes, bytes]]
"""Name → mode, name, object name, as the tree object holds them."""


@dataclass(slots=True)
class _Kept:
    """What was read: directories, how many entries they have, and in which paths two trees differ."""

    listings: dict[Sha, Listing] = field(default_factory=dict)
    entries: int = 0
    differing: dict[tuple[Sha, Sha], tuple[str, ...]] = field(default_factory=dict)


class TreeCache:
    """Reads tree objects through a reader. What is kept is shared with that of a repository `around` it, if given."""

    def __init__(self, reader: ObjectReader, around: TreeCache | None = None) -> None:
        self._reader = reader
        self._kept: _Kept = around._kept if around else _Kept()

    def entries(self, tree: Sha) -> Listing:
        """Return the entries of a tree object; nothing where there is none."""
        return self.entries_of([tree])[0]

    def entries_of(self, trees: Sequence[Sha]) -> list[Listing]:
        """Return the same of several trees."""
        found = {tree: kept for tree in trees if (kept := self._kept.listings.get(tree)) is not None}
        missing = [tree for tree in trees if tree not in found and tree != EMPTY_TREE]
        for tree, answer in zip(missing, self._reader.read_many(missing), strict=True):
            if answer is not None and answer[0] == "tree":
                found[tree] = {name: (_canonical(mode), name, sha) for mode, name, sha in split_tree(answer[2])}
                self._keep(tree, found[tree])
        return [found.get(tree, {}) for tree in trees]

    def stored(self, trees: Sequence[Sha]) -> list[Listing]:
        """Return the same where nothing must be taken for empty that is only missing.

        Raises:
            GitError: a tree is missing.
        """
        found = self.entries_of(trees)
        for tree, listing in zip(trees, found, strict=True):
            if not listing and tree != EMPTY_TREE:
                raise GitError(f"The tree {tree} cannot be read.", hint="The mirror may be incomplete: fetch it anew.")
        return found

    def _keep(self, tree: Sha, listing: Listing) -> None:
        if self._kept.entries > _MOST_ENTRIES:
            self._kept.listings.clear()
            self._kept.entries = 0
        self._kept.listings[tree] = listing
        self._kept.entries += len(listing)

    def find(self, tree: Sha, path: str) -> Entry | None:
        """Return what a tree holds at a path: a file, a link, a submodule or a directory."""
        *directories, name = encode_path(path).split(b"/")
        for directory in directories:
            mode, _, sha = self.entries(tree).get(directory, (b"", b"", b""))
            if mode != _TREE:
                return None
            tree = Sha(sha.hex())
        found = self.entries(tree).get(name)
        return Entry(found[0].decode(), Sha(found[2].hex())) if found else None

    def differing(self, old: Sha, new: Sha) -> Sequence[str]:
        """Return the paths of the files, links and submodules in which two trees differ; a rename is both its paths.

        Raises:
            GitError: a tree is missing, so what it holds is not known, or they differ in more files than fit in memory.
        """
        differing = self._kept.differing.get((old, new))
        if differing is None:
            differing = tuple(islice(self._differ(old, new), _MOST_DIFFERING + 1))
            if len(differing) > _MOST_DIFFERING:
                raise GitError(
                    f"{old[:12]} and {new[:12]} differ in more than {_MOST_DIFFERING:,} files, which are too many.",
                    hint="Backport it by hand.",
                )
            if len(self._kept.differing) >= _MOST_COMPARED:
                self._kept.differing.clear()
            self._kept.differing[old, new] = differing
        return differing

    def _differ(self, old: Sha, new: Sha) -> Iterator[str]:
        # On a stack of its own: a commit may hold directories deeper than Python's stack.
        stack = [self._changes(old, new, "")]
        while stack:
            change = next(stack[-1], None)
            if change is None:
                stack.pop()
            elif isinstance(change, str):
                yield change
            else:
                stack.append(self._changes(*change))

    def _changes(self, old: Sha, new: Sha, prefix: str) -> Iterator[str | tuple[Sha, Sha, str]]:
        """Yield the paths in which one directory differs, and the directories below it in which more may differ."""
        if old == new:
            return
        before, after = self.stored([old, new])
        changed = {name for name, _entry in before.items() ^ after.items()}
        for text, name in sorted((decode_path(name), name) for name in changed):
            sides = [side.get(name) for side in (before, after)]
            inner = [Sha(side[2].hex()) if side and side[0] == _TREE else None for side in sides]
            if any(inner):
                yield inner[0] or EMPTY_TREE, inner[1] or EMPTY_TREE, f"{prefix}{text}/"
            if any(side and side[0] != _TREE for side in sides):
                yield f"{prefix}{text}"


def _canonical(mode: bytes) -> bytes:
    """Return a mode as git writes it today; old trees hold such as 100664 and 040000, which git reads as these."""
    if mode in _MODES:
        return mode
    number = int(mode, 8)
    kind = {0o10: EXECUTABLE if number & 0o100 else REGULAR, 0o12: SYMLINK, 0o4: DIRECTORY}.get(number >> 12, SUBMODULE)
    return kind.encode()
