"""Compares the tree of a replay with the tree that people committed.

A file that was in conflict is right if it has the same bytes or the same Python syntax tree. Nothing else is ignored,
not even the order of imports.
"""

from __future__ import annotations

import ast
import difflib
import warnings
from collections.abc import Iterable

from bot.git.repository import Repository
from bot.git.trees import find_entry
from bot.models import Sha

_MAX_LINES = 40


def find_differences(repository: Repository, tree: Sha, reference: Sha, paths: Iterable[str]) -> tuple[str, ...]:
    """Return the paths at which two trees have different entries, sorted."""
    return tuple(
        path for path in sorted(paths) if find_entry(repository, tree, path) != find_entry(repository, reference, path)
    )


def is_right(repository: Repository, tree: Sha, reference: Sha, paths: Iterable[str]) -> bool:
    """Say whether each of these files has the content that people committed."""
    return all(
        path.endswith((".py", ".pyi")) and _same_python(repository.read(tree, path), repository.read(reference, path))
        for path in find_differences(repository, tree, reference, paths)
    )


def _same_python(source: bytes | None, reference: bytes | None) -> bool:
    if source is None or reference is None:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in the project's sources warns, for example
            return ast.dump(ast.parse(source)) == ast.dump(ast.parse(reference))
    except (SyntaxError, ValueError, RecursionError):
        return False


def show_difference(repository: Repository, tree: Sha, reference: Sha, paths: Iterable[str]) -> str:
    """Return a diff from the replay's files to those that people committed, cut after some lines."""
    lines: list[str] = []
    for path in paths:
        old, new = _text(repository.read(tree, path)), _text(repository.read(reference, path))
        lines += difflib.unified_diff(old, new, f"made/{path}", f"committed/{path}", n=2, lineterm="")
        if len(lines) > _MAX_LINES:
            return "\n".join([*lines[:_MAX_LINES], "…"])
    return "\n".join(lines)


def _text(content: bytes | None) -> list[str]:
    return (content or b"").decode(errors="replace").splitlines()
