"""Copies a tree's files for a command that may change them, and puts the tests of a change on top."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from bot.environment.untrusted_files import Bounds, TooLarge, copy_tree
from bot.errors import SuiteError

GIB = 1024**3
BOUNDS = Bounds(size=32 * GIB, entries=2_000_000, depth=200)
"""Of a tree that can be copied. Those of the largest projects have a tenth of it."""


def copy_sources(tree: Path, copy: Path, *, without: frozenset[str] = frozenset({".git"})) -> None:
    """Copy the files, folders and links of a tree, links as links, without what has one of these names.

    Raises:
        SuiteError: the tree is larger, or nested more deeply, than BOUNDS.
    """
    try:
        copy_tree(tree, copy, BOUNDS, trusted=True, without=without)
    except TooLarge as error:
        raise SuiteError(
            f"{tree} cannot be copied, as {error}; nothing was run.", hint="Remove the files that are no source."
        ) from error


def lay_over(copy: Path, source: Path, files: tuple[str, ...]) -> None:
    """Copy files of one tree into a copy of another. A file that the source lacks is removed from the copy.

    Raises:
        SuiteError: the path of a file has a link that leaves its tree, or is neither a file nor a link.
    """
    for file in files:
        place, source_file = copy / file, source / file
        for tree, path in ((copy, place), (source, source_file)):
            if not path.parent.resolve().is_relative_to(tree.resolve()):
                raise SuiteError(
                    f"{file} has a link in its path that leaves the tree; nothing was run.", hint="Look at it."
                )
        place.unlink(missing_ok=True)
        if not os.path.lexists(source_file):
            continue
        if not (source_file.is_symlink() or source_file.is_file()):
            raise SuiteError(f"{file} is neither a file nor a link; nothing was run.", hint="Look at it.")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source_file, place, follow_symlinks=False)


def lay_test_modules_over(copy: Path, source: Path, files: tuple[str, ...]) -> None:
    """Lay the test modules of Rust files of one tree over a copy of another. A file that either lacks stays as it is.

    Raises:
        SuiteError: the path of a file has a link.
    """
    if not files:
        return
    # It needs a parser of other languages, which proofs of anything else do without.
    from bot.proof.rust_modules import splice_tests  # noqa: PLC0415

    for file in files:
        place, source_file = copy / file, source / file
        for tree, path in ((copy, place), (source, source_file)):
            if path.resolve() != tree.resolve() / file:
                raise SuiteError(f"{file} has a link in its path; nothing was run.", hint="Look at it.")
        if place.is_file() and source_file.is_file():
            place.write_bytes(splice_tests(place.read_bytes(), source_file.read_bytes()))


def take_out(copy: Path, file: str) -> None:
    """Remove a file of a copy, if there is one. It stays if its path has a link that leaves the copy."""
    place = copy / file
    if place.parent.resolve().is_relative_to(copy.resolve()) and not (place.is_dir() and not place.is_symlink()):
        place.unlink(missing_ok=True)


Mark = tuple[int, int, int]


def marks_of(copy: Path, files: Iterable[str]) -> dict[str, Mark | None]:
    """Return what tells a file from another, and from itself before it was last changed; None where there is none.

    Nobody can set the time of an inode's last change, so a file that was changed and put back has another mark.
    """
    return {file: _mark(copy / file) for file in files}


def _mark(file: Path) -> Mark | None:
    try:
        status = file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino, status.st_ctime_ns
