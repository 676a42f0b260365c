"""Chooses the missing originals that a run may bring to a branch, and says what each of the others waits for. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.config import Sync
from bot.sync.order import in_order
from bot.sync.types import BranchState, Original, OriginalState, State

WAITS_FOR_A_FREE_PLACE = "its turn: as many backports are open on the branch as `sync.max_open` allows"
WAITS_FOR_THE_GPU = "the next run: this one has used the minutes that `sync.max_gpu_minutes` allows"


def choose(
    branch: BranchState,
    sync: Sync,
    *,
    last_failure: Callable[[Original], str],
) -> tuple[OriginalState, ...]:
    """Return the missing originals in the order to bring them, each with what it waits for.

    An empty `waits` means that it may be brought now. `last_failure` returns how an attempt under the same conditions
    failed, or an empty text.
    """
    limit = sync.most_missing
    # A mistake in the rules must not open a hundred pull requests.
    if len(branch.missing) > limit:
        reason = f"narrower rules: {len(branch.missing)} are missing, and `sync.most_missing` is {limit}"
        return tuple(replace(state, waits=reason) for state in in_order(branch.missing))
    return tuple(replace(state, waits=_waits_for(state, last_failure)) for state in in_order(branch.missing))


def _waits_for(state: OriginalState, last_failure: Callable[[Original], str]) -> str:
    original = state.original
    if state.state is State.CONFLICT:
        return "a person to resolve the conflict"
    if state.state is State.NEEDS:
        return f"{', '.join(state.needs)} to be on the branch" if state.needs else "its prerequisites"
    if original.number is None:
        return "a person: no pull request of it is known, so there is none to open a backport of"
    failure = last_failure(original)
    return f"a change of what it depends on; the last attempt: {failure}" if failure else ""


def limit_open(originals: tuple[OriginalState, ...], places: int) -> tuple[OriginalState, ...]:
    """Let all but the first `places` of the originals that wait for nothing wait for a free place."""
    result = []
    for state in originals:
        if not state.waits:
            places -= 1
        result.append(replace(state, waits=WAITS_FOR_A_FREE_PLACE) if not state.waits and places < 0 else state)
    return tuple(result)
