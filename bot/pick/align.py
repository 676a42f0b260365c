"""Aligns two sequences of hashable elements (lines or tokens) and computes the edits between them.

The finer merge is built on it. It knows nothing of conflicts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)

# A stretch without unique elements counts as replaced if it needs more comparisons, because difflib is quadratic:
# https://docs.python.org/3/library/difflib.html#difflib.SequenceMatcher
_COMPARISONS = 250_000


@dataclass(frozen=True, slots=True)
class Edit(Generic[T]):
    """Replace `base[start:end]` by `new`; empty on the base side for an insertion, empty `new` for a removal."""

    start: int
    end: int
    new: tuple[T, ...]


def align(first: Sequence[T], second: Sequence[T]) -> list[tuple[int, int]]:
    """Return the index pairs of equal elements, rising in both.

    Elements that occur once on each side are matched first, as in a patience diff
    (https://bramcohen.livejournal.com/73318.html). This keeps a moved brace or blank line from splitting a block.
    """
    pairs: list[tuple[int, int]] = []
    stack = [(0, len(first), 0, len(second))]
    while stack:
        low, high, other_low, other_high = stack.pop()
        while low < high and other_low < other_high and first[low] == second[other_low]:
            pairs.append((low, other_low))
            low, other_low = low + 1, other_low + 1
        while low < high and other_low < other_high and first[high - 1] == second[other_high - 1]:
            high, other_high = high - 1, other_high - 1
            pairs.append((high, other_high))
        if low == high or other_low == other_high:
            continue
        if set(first[low:high]).isdisjoint(second[other_low:other_high]):
            continue
        # A patience diff aligns the unique elements; the stretches between them go on the stack.
        anchors = _unique_pairs(first, second, (low, high, other_low, other_high))
        if not anchors:
            pairs += _compare(first, second, (low, high, other_low, other_high))
            continue
        for index, other_index in anchors:
            stack.append((low, index, other_low, other_index))
            pairs.append((index, other_index))
            low, other_low = index + 1, other_index + 1
        stack.append((low, high, other_low, other_high))
    return sorted(pairs)


def _unique_pairs(first: Sequence[T], second: Sequence[T], span: tuple[int, int, int, int]) -> list[tuple[int, int]]:
    low, high, other_low, other_high = span
    counts, other_counts = Counter(first[low:high]), Counter(second[other_low:other_high])
    positions = {second[index]: index for index in range(other_low, other_high) if other_counts[second[index]] == 1}
    common = [
        (index, positions[first[index]])
        for index in range(low, high)
        if counts[first[index]] == 1 and first[index] in positions
    ]
    return _longest_rising(common)


def _longest_rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    tails: list[int] = []
    ends: list[int] = []
    predecessors: list[int] = []
    for index, (_, other_index) in enumerate(pairs):
        length = bisect_left(tails, other_index)
        predecessors.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [other_index]
        ends[length : length + 1] = [index]
    sequence: list[tuple[int, int]] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        sequence.append(pairs[index])
        index = predecessors[index]
    return sequence[::-1]


def _compare(first: Sequence[T], second: Sequence[T], span: tuple[int, int, int, int]) -> Iterator[tuple[int, int]]:
    low, high, other_low, other_high = span
    if (high - low) * (other_high - other_low) > _COMPARISONS:
        return
    matcher = SequenceMatcher(None, first[low:high], second[other_low:other_high], autojunk=False)
    for block in matcher.get_matching_blocks():
        for step in range(block.size):
            yield low + block.a + step, other_low + block.b + step


def edits(base: Sequence[T], revision: Sequence[T]) -> list[Edit[T]]:
    """Return the edits that turn `base` into `revision`, in order; unchanged elements lie between any two."""
    result: list[Edit[T]] = []
    index = other_index = 0
    for match, other_match in [*align(base, revision), (len(base), len(revision))]:
        if index < match or other_index < other_match:
            result.append(Edit(index, match, tuple(revision[other_index:other_match])))
        index, other_index = match + 1, other_match + 1
    return result


def apply_edits(base: Sequence[T], changes: Sequence[Edit[T]]) -> list[T]:
    """Return `base` with edits that are in order and do not overlap."""
    result: list[T] = []
    index = 0
    for edit in changes:
        result += base[index : edit.start]
        result += edit.new
        index = edit.end
    result += base[index:]
    return result
