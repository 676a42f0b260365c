"""Reads tree objects as directories, with a cache: a pick reads the same ones many times.

A tree never changes, so the cache is never wrong. The cache is bounded by entries, not by trees, because a
directory can hold thousands. GitPython makes an object of every entry: 9 µs each in place of 2
(`tests/bench/bench_gitpython.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
# Each holds the paths of one commit, mostly few.
_MOST_COMPARED = 32
# A few kilobytes of trees that hold each other many times over stand for billions of files.
_MOST_DIFFERING = 1_000_000
_TREE = DIRECTORY.encode()
_MODES = frozenset(mode.encode() for mode in (REGULAR, EXECUTABLE, SYMLINK, SUBMODULE, DIRECTORY))

Listing = Mapping[bytes, tuple[bytes, bytes, bytes]]
"""Name → mode, name, object name, as the tree object holds them."""


@dataclass(slots=True)
class _Cache:
    """The directories that were read, the number of their entries, and the paths in which two trees differ."""

    listings: dict[Sha, Listing] = field(default_factory=dict)
    entries: int = 0
    paths: dict[tuple[Sha, Sha], tuple[str, ...]] = field(default_factory=dict)


class TreeCache:
    """Reads tree objects through a reader. A quarantine shares the cache of the `outer` repository.

    `bring` fetches trees that are not here, if there is a remote that has them.
    """

    def __init__(
        self,
        reader: ObjectReader,
        outer: TreeCache | None = None,
        bring: Callable[[Sequence[Sha]], object] | None = None,
    ) -> None:
        self._reader = reader
        self._bring = bring
        self._cache: _Cache = outer._cache if outer else _Cache()

    def entries(self, tree: Sha) -> Listing:
        """Return the entries of a tree object; nothing if there is none."""
        return self.entries_of([tree])[0]

    def entries_of(self, trees: Sequence[Sha]) -> list[Listing]:
        """Return the same of several trees."""
        listings = {tree: listing for tree in trees if (listing := self._cache.listings.get(tree)) is not None}
        unread_trees = [tree for tree in trees if tree not in listings and tree != EMPTY_TREE]
        answers = self._reader.read_many(unread_trees)
        if self._bring is not None and None in answers:
            self._bring([tree for tree, answer in zip(unread_trees, answers, strict=True) if answer is None])
            answers = self._reader.read_many(unread_trees)
        for tree, answer in zip(unread_trees, answers, strict=True):
            if answer is not None and answer[0] == "tree":
                listings[tree] = {name: (_canonical(mode), name, sha) for mode, name, sha in split_tree(answer[2])}
                self._keep(tree, listings[tree])
        return [listings.get(tree, {}) for tree in trees]

    def require_entries(self, trees: Sequence[Sha]) -> list[Listing]:
        """Return the same; a missing tree does not count as empty.

        Raises:
            GitError: a tree is missing.
        """
        listings = self.entries_of(trees)
        for tree, listing in zip(trees, listings, strict=True):
            if not listing and tree != EMPTY_TREE:
                raise GitError(f"The tree {tree} cannot be read.", hint="The mirror may be incomplete: fetch it again.")
        return listings

    def _keep(self, tree: Sha, listing: Listing) -> None:
        if self._cache.entries > _MOST_ENTRIES:
            self._cache.listings.clear()
            self._cache.entries = 0
        self._cache.listings[tree] = listing
        self._cache.entries += len(listing)

    def find(self, tree: Sha, path: str) -> Entry | None:
        """Return what a tree holds at a path: a file, a link, a submodule or a directory."""
        *directories, name = encode_path(path).split(b"/")
        for directory in directories:
            mode, _, sha = self.entries(tree).get(directory, (b"", b"", b""))
            if mode != _TREE:
                return None
            tree = Sha(sha.hex())
        entry = self.entries(tree).get(name)
        return Entry(entry[0].decode(), Sha(entry[2].hex())) if entry else None

    def differing_paths(self, old: Sha, new: Sha) -> Sequence[str]:
        """Return the paths of the files, links and submodules in which two trees differ; a rename is both its paths.

        Raises:
            GitError: a tree is missing, or the trees differ in more files than fit in memory.
        """
        paths = self._cache.paths.get((old, new))
        if paths is None:
            paths = tuple(islice(self._differ(old, new), _MOST_DIFFERING + 1))
            if len(paths) > _MOST_DIFFERING:
                raise GitError(
                    f"{old[:12]} and {new[:12]} differ in more than {_MOST_DIFFERING:,} files, which are too many.",
                    hint="Backport it by hand.",
                )
            if len(self._cache.paths) >= _MOST_COMPARED:
                self._cache.paths.clear()
            self._cache.paths[old, new] = paths
        return paths

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
        before, after = self.require_entries([old, new])
        names = {name for name, _entry in before.items() ^ after.items()}
        for text, name in sorted((decode_path(name), name) for name in names):
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
