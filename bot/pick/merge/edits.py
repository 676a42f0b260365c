"""Combines two sides' edits of one base sequence.

The caller decides when two edits are far enough apart: two lines are more independent than two words of one statement.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

from bot.pick.align import Edit, edits

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class SidedEdit(Generic[T]):
    """An edit and its side."""

    edit: Edit[T]
    theirs: bool


Apart = Callable[[Edit[T], Edit[T]], bool]
"""Returns True if the second edit, which starts no earlier and is the other side's, may stand beside the first."""


def combine(
    base: Sequence[T], ours: Sequence[T], theirs: Sequence[T], are_separate: Apart[T]
) -> list[SidedEdit[T]] | None:
    """Return both sides' edits in order, without duplicates, or None if two edits are not far enough apart."""
    edits_of_both = [SidedEdit(edit, theirs=False) for edit in edits(base, ours)]
    ours_edits = {sided_edit.edit for sided_edit in edits_of_both}
    # An edit that both sides made counts once.
    edits_of_both += [SidedEdit(edit, theirs=True) for edit in edits(base, theirs) if edit not in ours_edits]
    # At one place the target's edit comes first.
    edits_of_both.sort(key=lambda sided_edit: (sided_edit.edit.start, sided_edit.edit.end, sided_edit.theirs))
    for first, second in pairwise(edits_of_both):
        if first.theirs != second.theirs and not _stand_apart(first.edit, second.edit, are_separate):
            return None
    return edits_of_both


def _stand_apart(first: Edit[T], second: Edit[T], are_separate: Apart[T]) -> bool:
    return first.end <= second.start and are_separate(first, second)
