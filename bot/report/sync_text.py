"""The state of an original on a branch → the words for it: what a person should do next, how old it is, how many.

Owns what every report of a sync says alike: the tracking issue, the page, the terminal and the data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from bot.sync.types import BranchState, OriginalState, State
from bot.text.markdown import code, count

ICONS: Mapping[State, str] = {
    State.ALREADY_APPLIED: "✅",
    State.OPENED: "🔵",
    State.CLEAN: "🟢",
    State.RESOLVABLE: "🟡",
    State.NEEDS: "🟠",
    State.CONFLICT: "🔴",
    State.NOT_AFFECTED: "⚪",
    State.REFUSED_BY_POLICY: "⛔",
    State.REFUSED_BY_PERSON: "🚫",
    State.REVERTED: "↩️",
}
SHORT: Mapping[State, str] = {
    State.ALREADY_APPLIED: "there",
    State.OPENED: "open",
    State.CLEAN: "clean",
    State.RESOLVABLE: "resolvable",
    State.NEEDS: "needs another",
    State.CONFLICT: "conflict",
    State.NOT_AFFECTED: "not affected",
    State.REFUSED_BY_POLICY: "by policy",
    State.REFUSED_BY_PERSON: "by a person",
    State.REVERTED: "reverted",
}
"""The states in a word or two, for a cell."""
TO_DO = (State.OPENED, State.CLEAN, State.RESOLVABLE, State.NEEDS, State.CONFLICT)
"""The states in which something is left to do, the nearest to done first."""
SETTLED = tuple(state for state in State if state not in TO_DO)

_DAY = 86_400


def state_text(standing: OriginalState) -> str:
    """Name the state, with what is needed first."""
    return f"missing, needs {', '.join(standing.needs)} first" if standing.needs else standing.state.value


def why(standing: OriginalState) -> str:
    """Return the reason without a full stop, to stand inside a sentence."""
    return standing.reason.rstrip(".")


def next_step(standing: OriginalState) -> str:
    """Say what a person should do next; foreign text in it is not made inert. Empty where nothing is to be done."""
    match standing.state:
        case State.OPENED:
            return f"Review #{standing.pull_request}."
        case State.CONFLICT:
            return _by_hand(standing)
        case State.NEEDS:
            return "It follows once that is there." if not standing.waits else f"It waits for {standing.waits}."
        case State.CLEAN | State.RESOLVABLE:
            return (
                f"It waits for {standing.waits}."
                if standing.waits
                else "The next run with `--open` proves and opens it."
            )
        case _:
            return ""


def _by_hand(standing: OriginalState) -> str:
    if standing.original.number is None:
        return "Pick it by hand: no pull request of it is known."
    asking = code(f"/backport {standing.branch}")
    return f"Comment {asking} on {standing.original.name}: the answer holds the commands to finish it by hand."


def age(standing: OriginalState, moment: int) -> str:
    """Say how long a missing original has been on the main branch."""
    return count(days(standing, moment), "day")


def days(standing: OriginalState, moment: int) -> int:
    """Return how many days a missing original has been on the main branch."""
    return max(0, (moment - standing.original.merged) // _DAY)


def counts(state: BranchState) -> Mapping[State, int]:
    """Count the originals of a branch by state; what nothing asks for is refused by policy."""
    found = Counter(each.state for each in state.originals)
    found[State.REFUSED_BY_POLICY] += len(state.not_asked)
    return {each: found[each] for each in State}


def headline(state: BranchState) -> str:
    """Say in a line how a branch stands."""
    if state.problem:
        return state.problem
    numbers = counts(state)
    missing, opened = len(state.missing), numbers[State.OPENED]
    if not missing and not opened:
        return _nothing_missing(state, numbers[State.ALREADY_APPLIED])
    said = f"{missing} missing" if missing else "nothing else missing"
    return f"{said}, {count(opened, 'backport')} open, {numbers[State.ALREADY_APPLIED]} on the branch."


def _nothing_missing(state: BranchState, there: int) -> str:
    if not state.not_asked:
        return f"Nothing is missing, {there} on the branch."
    if any(each.asked_by for each in state.originals):
        return f"Nothing that a rule asks for is missing, {there} on the branch."
    return f"No rule asks for any of {count(len(state.not_asked), 'original')}: `sync.rules` says what belongs here."


def missing_over_time(state: BranchState, moments: tuple[int, ...]) -> tuple[int, ...]:
    """Count, for each moment, what was on the main branch and belonged on the branch and was not there yet.

    What is there now was missing from its merge to its landing; what is missing now, from its merge until now.
    """
    spans = [
        (each.original.merged, each.landed if each.state is State.ALREADY_APPLIED else None)
        for each in state.originals
        if each.state in {State.ALREADY_APPLIED, *TO_DO} and (each.landed or each.state is not State.ALREADY_APPLIED)
    ]
    return tuple(sum(begin <= at and (end is None or at < end) for begin, end in spans) for at in moments)
