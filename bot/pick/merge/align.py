"""Which elements of two sequences are the same: the ground that every finer merge stands on.

Owns alignment and edits of sequences of anything hashable (lines, tokens). Knows nothing of conflicts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)

# Above this many comparisons a stretch without unique elements counts as replaced: difflib is quadratic there.
_COMPARISONS = 250_000


@dataclass(frozen=True, slots=True)
class Edit(Generic[T]):
    """Replace `base[start:end]` by `new`; empty on the base side for an insertion, empty `new` for a removal."""

    start: int
    end: int
    new: tuple[T, ...]


def align(one: Sequence[T], other: Sequence[T]) -> list[tuple[int, int]]:
    """Return the index pairs of equal elements, rising in both.

    Elements that occur once on each side are matched first (patience), which keeps a moved brace or blank line from
    tearing a block apart.
    """
    pairs: list[tuple[int, int]] = []
    stack = [(0, len(one), 0, len(other))]
    while stack:
        low, high, other_low, other_high = stack.pop()
        while low < high and other_low < other_high and one[low] == other[other_low]:
            pairs.append((low, other_low))
            low, other_low = low + 1, other_low + 1
        while low < high and other_low < other_high and one[high - 1] == other[other_high - 1]:
            high, other_high = high - 1, other_high - 1
            pairs.append((high, other_high))
        if low == high or other_low == other_high:
            continue
        if set(one[low:high]).isdisjoint(other[other_low:other_high]):
            continue
        anchors = _unique_pairs(one, other, (low, high, other_low, other_high))
        if not anchors:
            pairs += _compare(one, other, (low, high, other_low, other_high))
            continue
        for left, right in anchors:
            stack.append((low, left, other_low, right))
            pairs.append((left, right))
            low, other_low = left + 1, right + 1
        stack.append((low, high, other_low, other_high))
    return sorted(pairs)


def _unique_pairs(one: Sequence[T], other: Sequence[T], span: tuple[int, int, int, int]) -> list[tuple[int, int]]:
    low, high, other_low, other_high = span
    counts, other_counts = Counter(one[low:high]), Counter(other[other_low:other_high])
    places = {other[at]: at for at in range(other_low, other_high) if other_counts[other[at]] == 1}
    common = [(at, places[one[at]]) for at in range(low, high) if counts[one[at]] == 1 and one[at] in places]
    return _longest_rising(common)


def _longest_rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for at, (_, right) in enumerate(pairs):
        length = bisect_left(tails, right)
        before.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [right]
        ends[length : length + 1] = [at]
    rising: list[tuple[int, int]] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        rising.append(pairs[at])
        at = before[at]
    return rising[::-1]


def _compare(one: Sequence[T], other: Sequence[T], span: tuple[int, int, int, int]) -> Iterator[tuple[int, int]]:
    low, high, other_low, other_high = span
    if (high - low) * (other_high - other_low) > _COMPARISONS:
        return
    matcher = SequenceMatcher(None, one[low:high], other[other_low:other_high], autojunk=False)
    for block in matcher.get_matching_blocks():
        for step in range(block.size):
            yield low + block.a + step, other_low + block.b + step


def edits(base: Sequence[T], changed: Sequence[T]) -> list[Edit[T]]:
    """Return what turns `base` into `changed`, in order and with unchanged elements between any two edits."""
    found: list[Edit[T]] = []
    at = other_at = 0
    for left, right in [*align(base, changed), (len(base), len(changed))]:
        if at < left or other_at < right:
            found.append(Edit(at, left, tuple(changed[other_at:right])))
        at, other_at = left + 1, right + 1
    return found


def apply_edits(base: Sequence[T], wanted: Sequence[Edit[T]]) -> list[T]:
    """Return `base` with edits that are in order and do not overlap."""
    made: list[T] = []
    at = 0
    for edit in wanted:
        made += base[at : edit.start]
        made += edit.new
        at = edit.end
    made += base[at:]
    return made
