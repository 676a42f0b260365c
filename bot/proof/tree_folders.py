"""Paths in a source tree: the folders around a file, and files in them."""

from __future__ import annotations


def folders_around(file: str) -> list[str]:
    """Return the folders that a file is in, the innermost first; the tree itself is the empty path."""
    parts = file.split("/")[:-1]
    return ["/".join(parts[:length]) for length in range(len(parts), -1, -1)]


def join(folder: str, name: str) -> str:
    """Return the path of a file in a folder."""
    return f"{folder}/{name}" if folder else name


def relative(file: str, folder: str) -> str:
    """Return a file's path as seen from a folder around it."""
    return file.removeprefix(f"{folder}/") if folder else file
