"""Whether the cost of a call grows in line with the size of its input.

Counts processor time, not wall time, so that a busy machine does not decide. A quadratic call costs 64 times as much
for 8 times the input, a linear one 8 times as much; the limit between the two is 20 times.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

FLOOR = 0.02
"""Processor seconds from which a cost can be told from noise."""
DOUBLINGS = 3
MARGIN = 2.5
"""How much more than its share the larger input may cost: caches and the allocator are not linear either."""


def assert_linear(
    work: Callable[[T], object], make: Callable[[int], T], *, first: int = 256, largest: int = 1 << 22
) -> None:
    """Fail if `work` costs more than linear in the size of what `make` returns for a size.

    The size grows from `first` until the cost can be measured. What costs less than that at `largest`, the largest
    input that anyone can send, passes.
    """
    size, cost = first, seconds(work, make(first))
    while cost < FLOOR:
        if size >= largest:
            return
        size *= 2
        cost = seconds(work, make(size))
    for factor, limit in _limits(cost):
        larger = seconds(work, make(size * factor))
        assert larger <= limit, (
            f"{factor} times the input costs {larger / cost:.0f} times as much: {cost:.3f} s of processor time for "
            f"size {size}, {larger:.3f} s for size {size * factor}"
        )


def _limits(cost: float) -> Iterator[tuple[int, float]]:
    """Yield each factor with the seconds it may cost, the smaller first: an exponential call never gets to the last."""
    for factor in (2**step for step in range(1, DOUBLINGS + 1)):
        yield factor, cost * factor * MARGIN


def seconds(work: Callable[[T], object], value: T, *, times: int = 3) -> float:
    """Return the least processor seconds that a call took: what is above it is not the call's."""
    taken_items = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(times):
            start = time.process_time()
            work(value)
            taken_items.append(time.process_time() - start)
    finally:
        gc.enable()
    return min(taken_items)
