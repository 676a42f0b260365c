"""How much an original does to a file, in lines: what judging a pick needs beyond its regions.

Owns the counting of lines. Knows nothing of answers.
"""

from __future__ import annotations

from bot.pick.merge.align import edits
from bot.pick.merge.regions import split_lines
from bot.pick.resolver import ConflictedFile


def lines_changed(file: ConflictedFile) -> int:
    """Return how many lines the original changes, counting the longer side of each edit."""
    changes = edits(split_lines(file.base or b""), split_lines(file.theirs or b""))
    return sum(max(edit.end - edit.start, len(edit.new)) for edit in changes)


def line_count(file: ConflictedFile) -> int:
    """Return how many lines the file has that the original edits."""
    return len(split_lines(file.base or b""))
