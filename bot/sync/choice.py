"""Which missing originals a run may bring to a branch now, and what each of the others waits for. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.config import Sync
from bot.sync.order import in_order
from bot.sync.types import BranchState, Original, OriginalState, State

WAITS_FOR_A_FREE_PLACE = "its turn: as many backports are open on the branch as `sync.max_open` allows"
WAITS_FOR_THE_GPU = "the next run: this one has used the minutes that `sync.max_gpu_minutes` allows"


def choose(
    state: BranchState,
    sync: Sync,
    *,
    failed: Callable[[Original], str],
) -> tuple[OriginalState, ...]:
    """Return what is missing in the order to bring it; `waits` says why one is not brought now, and is empty if it is.

    `failed` says how an attempt under the same conditions ended.
    """
    limit = sync.most_missing
    if len(state.missing) > limit:
        why = f"narrower rules: {len(state.missing)} are missing, and `sync.most_missing` is {limit}"
        return tuple(replace(each, waits=why) for each in in_order(state.missing))
    return tuple(replace(each, waits=_waits(each, failed)) for each in in_order(state.missing))


def _waits(standing: OriginalState, failed: Callable[[Original], str]) -> str:
    original = standing.original
    if standing.state is State.CONFLICT:
        return "a person to resolve the conflict"
    if standing.state is State.NEEDS:
        return f"{', '.join(standing.needs)} to be on the branch" if standing.needs else "its prerequisites"
    if original.number is None:
        return "a person: no pull request of it is known, so there is none to open a backport of"
    why = failed(original)
    return f"a change of what it depends on; the last attempt: {why}" if why else ""


def limited(chosen: tuple[OriginalState, ...], places: int) -> tuple[OriginalState, ...]:
    """Let all but so many of those that could be brought now wait for a free place."""
    limited = []
    for each in chosen:
        if not each.waits:
            places -= 1
        limited.append(replace(each, waits=WAITS_FOR_A_FREE_PLACE) if not each.waits and places < 0 else each)
    return tuple(limited)
