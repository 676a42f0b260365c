"""A tree with some files of another one: the base of a proof with the manifests of the change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bot.models import SourceTree
from bot.proof.source_copy import copy_sources, lay_over


@dataclass(frozen=True, slots=True)
class LaidTree:
    """A tree as it is read with some `files` of another one laid over it."""

    tree: SourceTree
    other: SourceTree
    files: frozenset[str]

    def read(self, path: str) -> bytes | None:
        """Return the file's bytes, or None if there is no such file."""
        return (self.other if path in self.files else self.tree).read(path)

    def paths(self) -> Iterable[str]:
        """Yield the path of every file, sorted."""
        kept = (path for path in self.tree.paths() if path not in self.files)
        return sorted({*kept, *(path for path in self.files if self.other.read(path) is not None)})


def copy_laid(tree: Path, scratch: Path, other: Path, files: tuple[str, ...]) -> Path:
    """Copy a tree into a new folder `scratch`, with files of another one, and return the copy.

    What runs in it must not change a person's checkout.

    Raises:
        SuiteError: the tree is too large, or a file's path leaves it.
    """
    scratch.mkdir()
    copy = scratch / "tree"
    copy_sources(tree, copy)
    lay_over(copy, other, files)
    return copy
