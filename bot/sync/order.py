"""The order in which missing originals are brought: oldest first, prerequisites before, stacks together. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from bot.sync.types import OriginalState


def in_order(originals: Iterable[OriginalState]) -> tuple[OriginalState, ...]:
    """Sort the missing originals of one branch. One that needs another follows it; a circle starts at its oldest."""
    oldest_first = sorted(originals, key=lambda state: state.original.position)
    unsorted = {state.original.name: state for state in oldest_first}
    result: list[OriginalState] = []

    def take(state: OriginalState) -> None:
        # Taken out before its prerequisites are, so that a circle ends.
        if unsorted.pop(state.original.name, None) is None:
            return
        for name in state.needs:
            if name in unsorted:
                take(unsorted[name])
        result.append(state)
        for dependent in [other for other in unsorted.values() if state.original.name in other.needs]:
            if not any(name in unsorted for name in dependent.needs):
                take(dependent)

    for state in oldest_first:
        take(state)
    return tuple(result)
