"""In which order missing originals come to a branch: oldest first, prerequisites before, stacks together. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from bot.sync.types import OriginalState


def in_order(missing: Iterable[OriginalState]) -> tuple[OriginalState, ...]:
    """Sort standings of one branch. What needs another one follows it at once; a circle is broken at its oldest."""
    oldest_first = sorted(missing, key=lambda each: each.original.position)
    waiting = {each.original.name: each for each in oldest_first}
    ordered: list[OriginalState] = []

    def take(standing: OriginalState) -> None:
        if waiting.pop(standing.original.name, None) is None:
            return
        for name in standing.needs:
            if name in waiting:
                take(waiting[name])
        ordered.append(standing)
        for dependent in [each for each in waiting.values() if standing.original.name in each.needs]:
            if not any(name in waiting for name in dependent.needs):
                take(dependent)

    for standing in oldest_first:
        take(standing)
    return tuple(ordered)
