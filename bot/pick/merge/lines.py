"""Proposals that combine whole lines: both sides changed neighbouring lines, or inserted lines at the same place.

Each function resolves a region, or returns None if it does not apply.
"""

from __future__ import annotations

from bot.pick.align import Edit, apply_edits
from bot.pick.merge.edits import Apart, combine
from bot.pick.merge.regions import LineRegion, Lines

LineEdit = Edit[bytes]


def merge_adjacent(region: LineRegion) -> Lines | None:
    """Apply both sides' edits if they touch at most, and of two touching edits none is an insertion."""
    return _merge(region, lambda first, second: first.end < second.start or not (_inserts(first) or _inserts(second)))


def merge_touching(region: LineRegion) -> Lines | None:
    """Apply both sides' edits unless both insert at one place."""
    return _merge(region, lambda first, second: first.end < second.start or not (_inserts(first) and _inserts(second)))


def insert_both(region: LineRegion) -> Lines | None:
    """Keep both sides' lines if both insert at the same place; the target's come first."""
    # If the lines merge without this, the order is no question.
    return _merge(region, lambda _first, _second: True) if merge_touching(region) is None else None


def insert_sorted(region: LineRegion) -> Lines | None:
    """Keep a list sorted if both sides insert into it and every version is sorted."""
    lines = insert_both(region)
    if lines is None or any(_sort_lines(side) != list(side) for side in (region.base, region.ours, region.theirs)):
        return None
    return tuple(_sort_lines(lines))


def _merge(region: LineRegion, are_separate: Apart[bytes]) -> Lines | None:
    edits = combine(region.base, region.ours, region.theirs, are_separate)
    return None if edits is None else tuple(apply_edits(region.base, [sided_edit.edit for sided_edit in edits]))


def _inserts(edit: LineEdit) -> bool:
    return edit.start == edit.end


def _sort_lines(lines: Lines) -> list[bytes]:
    return sorted(lines, key=lambda line: line.strip().lower())
