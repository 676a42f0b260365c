"""What a replay made, held against what people committed.

Owns what counts as equal. Of files in conflict: the same bytes, or the same Python syntax tree; nothing else is
ignored, not even the order of imports.
"""

from __future__ import annotations

import ast
import difflib
import warnings
from collections.abc import Iterable

from bot.git.repository import Repository
from bot.git.trees import find_entry
from bot.models import Sha

_SHOWN = 40


def differing(repository: Repository, made: Sha, landed: Sha, paths: Iterable[str]) -> tuple[str, ...]:
    """Return those paths at which two trees do not hold the very same thing."""
    return tuple(
        path for path in sorted(paths) if find_entry(repository, made, path) != find_entry(repository, landed, path)
    )


def is_right(repository: Repository, made: Sha, landed: Sha, paths: Iterable[str]) -> bool:
    """Say whether every one of these files is what people made it."""
    return all(
        path.endswith((".py", ".pyi")) and _same_python(repository.read(made, path), repository.read(landed, path))
        for path in differing(repository, made, landed, paths)
    )


def _same_python(one: bytes | None, other: bytes | None) -> bool:
    if one is None or other is None:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the project's own string escapes, say
            return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except (SyntaxError, ValueError, RecursionError):
        return False


def show_difference(repository: Repository, made: Sha, landed: Sha, paths: Iterable[str]) -> str:
    """Return a diff from what was made to what people committed, cut after some lines."""
    lines: list[str] = []
    for path in paths:
        old, new = _text(repository.read(made, path)), _text(repository.read(landed, path))
        lines += difflib.unified_diff(old, new, f"made/{path}", f"committed/{path}", n=2, lineterm="")
        if len(lines) > _SHOWN:
            return "\n".join([*lines[:_SHOWN], "…"])
    return "\n".join(lines)


def _text(content: bytes | None) -> list[str]:
    return (content or b"").decode(errors="replace").splitlines()
