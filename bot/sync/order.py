"""The order in which missing originals are brought: oldest first, prerequisites before, stacks together. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from bot.sync.types import OriginalState


def in_order(originals: Iterable[OriginalState]) -> tuple[OriginalState, ...]:
    """Sort the missing originals of one branch. One that needs another follows it; a circle starts at its oldest."""
    oldest_first = sorted(originals, key=lambda state: state.original.position)
    by_name = {state.original.name: state for state in oldest_first}
    result: list[OriginalState] = []

    def take(state: OriginalState) -> None:
        # Taken out before its prerequisites are, so that a circle ends.
        if by_name.pop(state.original.name, None) is None:
            return
        for name in state.needs:
            if name in by_name:
                take(by_name[name])
        result.append(state)
        for dependent in [dependent for dependent in by_name.values() if state.original.name in dependent.needs]:
            if not any(name in by_name for name in dependent.needs):
                take(dependent)

    for state in oldest_first:
        take(state)
    return tuple(result)
