"""Lists the changes between two commits as GitHub does: one entry per file with counts and a patch.

Read from git's raw and patch output.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from bot.fake_github.git_store import EMPTY_TREE, GitStore

_STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}
_FILE_START = re.compile(r"^diff --git ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a diff. `patch` starts at the first hunk and is empty for binary files and pure renames."""

    path: str
    status: str
    blob: str
    additions: int
    deletions: int
    patch: str
    previous: str | None = None


@functools.lru_cache(maxsize=256)
def changes(git: GitStore, old: str | None, new: str) -> tuple[FileChange, ...]:
    """List what changed from commit `old` (None: from nothing) to commit `new`, renames followed."""
    between = ["-r", "-M", "--no-ext-diff", "--no-textconv", "--end-of-options", old or EMPTY_TREE, new]
    raw = git.run("diff-tree", "--raw", "--numstat", "-z", "--full-index", *between).decode(errors="replace")
    patch = git.run("diff-tree", "-p", "--full-index", *between).decode(errors="replace")
    texts = _texts_of(patch)
    entries, counts = _entries_of(raw.split("\0"))
    return tuple(
        FileChange(path, _STATUS.get(status, "changed"), blob, *count, patch=text, previous=previous)
        for (status, blob, previous, path), count, text in zip(entries, counts, texts, strict=True)
    )


def _texts_of(patch: str) -> list[str]:
    """Split a patch by file. A file that became a link, or the reverse, has two parts under one header."""
    texts: dict[str, str] = {}
    for part in _FILE_START.split(patch)[1:]:
        header = part.partition("\n")[0]
        texts[header] = "\n".join(filter(None, (texts.get(header), _hunks_of(part))))
    return list(texts.values())


def _hunks_of(part: str) -> str:
    start = part.find("\n@@ ")
    return part[start + 1 :].rstrip("\n") if start >= 0 else ""


def _entries_of(fields: list[str]) -> tuple[list[tuple[str, str, str | None, str]], list[tuple[int, int]]]:
    """Read `--raw --numstat -z`: all raw entries first, then all counts; a rename takes two more fields."""
    entries: list[tuple[str, str, str | None, str]] = []
    counts: list[tuple[int, int]] = []
    remaining = iter(fields)
    for entry in remaining:
        if entry.startswith(":"):
            _, _, old_blob, new_blob, status = entry.split(" ")
            previous = next(remaining) if status[0] in "RC" else None
            entries.append((status[0], old_blob if status[0] == "D" else new_blob, previous, next(remaining)))
        elif entry:
            added, deleted, path = entry.split("\t", 2)
            counts.append((_number(added), _number(deleted)))
            if not path:
                next(remaining), next(remaining)
    return entries, counts


def _number(text: str) -> int:
    return 0 if text == "-" else int(text)
