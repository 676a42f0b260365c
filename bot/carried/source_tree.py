"""Source trees on disk, the place of the target project in a tree, and decoded source files.

A file is decoded so that encoding it gives the same bytes. Nothing is written.
"""

from __future__ import annotations

import ast
import contextlib
import filecmp
import io
import os
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from bot.carried.schema_code import SourceFile, Target
from bot.models import SourceTree

_NOT_SOURCE = {".git", ".hg", ".svn", ".venv", "node_modules", "__pycache__"}
LARGEST = 64 * 1024 * 1024
"""Bytes. A larger file is no source and is not read."""
_MOST_PARSED = 8
"""The number of syntax trees that are kept. Each is megabytes, and several questions concern the same few files."""


class DirectoryTree:
    """A checkout or an unpacked package as a SourceTree. Nothing outside it is read, wherever links in it lead."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._root = directory.resolve()

    def read(self, path: str) -> bytes | None:
        """Return the file's bytes, or None if there is none below the directory, or it has more than LARGEST bytes."""
        file = self.file(path)
        return file.read_bytes() if file is not None and file.stat().st_size <= LARGEST else None

    def file(self, path: str) -> Path | None:
        """Return the file's path on disk, or None if there is none below the directory."""
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts:
            return None
        with contextlib.suppress(OSError, RuntimeError, ValueError):  # too long, links in a circle, a NUL
            file = (self._root / path).resolve(strict=True)
            if file.is_relative_to(self._root) and file.is_file():
                return file
        return None

    def paths(self) -> Iterator[str]:
        """Yield the path of every file, sorted, without the folders of version control and of tools."""
        folders = [""]
        while folders:
            prefix = folders.pop()
            names, subfolders = self._list_folder(prefix)
            yield from (prefix + name for name in names)
            folders += [f"{prefix}{name}/" for name in reversed(subfolders) if name not in _NOT_SOURCE]

    def _list_folder(self, prefix: str) -> tuple[list[str], list[str]]:
        """Return the names of the files and of the folders in a folder, sorted; a link to a folder is neither."""
        names: list[str] = []
        folders: list[str] = []
        # A folder that cannot be read, or whose path is too long for the system, is left out.
        with contextlib.suppress(OSError), os.scandir(f"{self._root}/{prefix}") as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif not entry.is_dir():
                    names.append(entry.name)
        return sorted(names), sorted(folders)


def differing_paths(first: Path, second: Path) -> tuple[str, ...]:
    """Return the paths whose files differ between two directories, or that only one of them has; sorted."""
    trees = DirectoryTree(first), DirectoryTree(second)
    paths = sorted({path for tree in trees for path in tree.paths()})
    return tuple(path for path in paths if _differ(*(tree.file(path) for tree in trees)))


def _differ(first: Path | None, second: Path | None) -> bool:
    if first is None or second is None:
        return first is not second
    return not filecmp.cmp(first, second, shallow=False)


@dataclass(frozen=True, slots=True)
class Source:
    """A Python file: its text, how it was decoded, and its syntax tree."""

    path: str
    text: str
    encoding: str
    module: ast.Module

    def encode(self, text: str) -> bytes:
        """Turn a changed text back into bytes the way this file is written."""
        return text.encode(self.encoding)


@dataclass(frozen=True, slots=True)
class Lookup:
    """The result of a search: the file's `path`, or a `problem` that hides it; neither if there is no such file."""

    path: str | None = None
    problem: str = ""


def find_root(tree: SourceTree, target: Target) -> str | None:
    """Return the folder of a tree, ending in "/" or empty, that contains the project; None if no folder does."""
    for root in map(_prefix, target.roots):
        markers = [f"{root}{target.package}/__init__.py", *(root + file.path for file in target.files.values())]
        if any(tree.read(path) is not None for path in markers):
            return root
    return None


def find_file(tree: SourceTree, root: str, target: Target, file: SourceFile) -> Lookup:
    """Find a patch's file: at its usual path, or wherever in the package its definition has moved to."""
    usual = root + file.path
    marker = file.defines.encode()
    at_usual = tree.read(usual)
    if marker in (at_usual or b""):
        return Lookup(usual)
    inside = f"{root}{target.package}/"
    modules = (path for path in tree.paths() if path.startswith(inside) and path.endswith(".py"))
    places = [path for path in modules if marker in (tree.read(path) or b"")]
    if len(places) > 1:
        return Lookup(problem=f"several files have `{file.defines}`: {', '.join(places)}")
    if not places and at_usual is not None:
        return Lookup(problem=f"{usual} is there but has no `{file.defines}`")
    return Lookup(places[0] if places else None)


@lru_cache(maxsize=_MOST_PARSED)
def parse_source(path: str, data: bytes) -> Source | str:
    """Decode and parse a Python file, or return the reason why it cannot be. The syntax tree must not be changed."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
        # A patch must not change bytes outside its edits.
        if text.encode(encoding) != data:
            return f"{path} does not survive decoding as {encoding}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Source(path, text, encoding, ast.parse(text))
    except (SyntaxError, UnicodeError, ValueError, RecursionError, MemoryError) as error:
        return f"{path} cannot be read as Python ({error})"


def _prefix(root: str) -> str:
    return "" if root == "." else f"{root}/"
