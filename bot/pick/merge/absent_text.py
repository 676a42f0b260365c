"""Proposals for edits of text that the target does not have.

Inserted lines can make sense by themselves. Edits of lines that the target lacks do not.
"""

from __future__ import annotations

from bot.pick.align import Edit, edits
from bot.pick.merge.regions import LineRegion, Lines


def drop_edits(region: LineRegion) -> Lines | None:
    """Leave all edits out if the original only changes or removes lines that the target lacks."""
    changes = _changes(region)
    shrinks = all(len(edit.new) <= edit.end - edit.start for edit in changes)
    return () if changes and shrinks and not any(map(_inserts, changes)) else None


def keep_inserted(region: LineRegion) -> Lines | None:
    """Keep the lines that the original inserts; leave its edits of lines out that the target lacks."""
    insertions = [edit for edit in _changes(region) if _inserts(edit)]
    return tuple(line for edit in insertions for line in edit.new) if insertions else None


def keep_pure_insertion(region: LineRegion) -> Lines | None:
    """Keep the inserted lines if the original does nothing else."""
    return keep_inserted(region) if all(map(_inserts, _changes(region))) else None


def keep_at_edge(region: LineRegion) -> Lines | None:
    """Keep the inserted lines if they are next to text that the target has, and the original does nothing else."""
    at_edge = all(edit.start in (0, len(region.base)) for edit in _changes(region))
    return keep_pure_insertion(region) if at_edge else None


def _changes(region: LineRegion) -> list[Edit[bytes]]:
    # The target has text there, so other proposers apply.
    return [] if region.ours or not region.base else edits(region.base, region.theirs)


def _inserts(edit: Edit[bytes]) -> bool:
    return edit.start == edit.end
