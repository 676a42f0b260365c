"""A file's patch as numbered lines for a table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.fake_github.git_diff import FileChange

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
MOST_LINES = 1500
_KINDS = {"+": "added", "-": "removed", " ": "context", "\\": "note"}


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line: its kind, its numbers on both sides where it has them, and its text without the mark."""

    kind: str
    old: int | None
    new: int | None
    text: str


@dataclass(frozen=True, slots=True)
class FileDiff:
    """A changed file as diffs. `left_out` counts lines beyond what a page bears."""

    change: FileChange
    lines: tuple[DiffLine, ...]
    left_out: int
    anchor: str

    @property
    def bar(self) -> tuple[str, ...]:
        """Five boxes that tell additions from deletions at a glance."""
        total = self.change.additions + self.change.deletions
        green = round(5 * self.change.additions / total) if total else 0
        return ("added",) * green + ("removed",) * (5 - green if total else 0)


def read(changes: Sequence[FileChange]) -> list[FileDiff]:
    """Turn changes into what a page shows."""
    diffs = []
    for number, change in enumerate(changes, 1):
        lines = tuple(_lines(change.patch))
        diffs.append(FileDiff(change, lines[:MOST_LINES], max(len(lines) - MOST_LINES, 0), f"file-{number}"))
    return diffs


def _lines(patch: str) -> Iterator[DiffLine]:
    old = new = 0
    for line in patch.split("\n") if patch else []:
        hunk = _HUNK.match(line)
        if hunk:
            old, new = int(hunk[1]), int(hunk[2])
            yield DiffLine("hunk", None, None, line)
            continue
        kind = _KINDS.get(line[:1], "context")
        has_old, has_new = kind in {"removed", "context"}, kind in {"added", "context"}
        yield DiffLine(kind, old if has_old else None, new if has_new else None, line[1:])
        old, new = old + has_old, new + has_new
