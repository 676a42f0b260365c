"""Counts the lines of a conflicting file that an original changes."""

from __future__ import annotations

from bot.pick.align import edits
from bot.pick.merge.regions import split_lines
from bot.pick.resolver import ConflictedFile


def lines_changed(file: ConflictedFile) -> int:
    """Return the number of lines that the original changes: of each edit, the longer side."""
    changes = edits(split_lines(file.base or b""), split_lines(file.theirs or b""))
    return sum(max(edit.end - edit.start, len(edit.new)) for edit in changes)


def line_count(file: ConflictedFile) -> int:
    """Return the number of lines of the file before the original."""
    return len(split_lines(file.base or b""))
