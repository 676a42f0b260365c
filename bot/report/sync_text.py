"""Words the state of an original on a branch: its name, its reason, its age, and what a person should do next.

The tracking issue, the page, the terminal and the JSON data all use these words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from bot.sync.types import MISSING, BranchState, OriginalState, State
from bot.text.markdown import code, count

_WORDS = {
    State.ALREADY_APPLIED: ("✅", "there"),
    State.OPENED: ("🔵", "open"),
    State.CLEAN: ("🟢", "clean"),
    State.RESOLVABLE: ("🟡", "resolvable"),
    State.NEEDS: ("🟠", "needs another"),
    State.CONFLICT: ("🔴", "conflict"),
    State.UNCONFIRMED: ("🟣", "to confirm"),
    State.NOT_AFFECTED: ("⚪", "not affected"),
    State.NOTHING_LEFT: ("⚪", "left out"),
    State.REFUSED_BY_POLICY: ("⛔", "by policy"),
    State.REFUSED_BY_PERSON: ("🚫", "by a person"),
    State.REVERTED: ("↩️", "reverted"),
}
# A state that is missing above is an error when this module is imported.
ICONS: Mapping[State, str] = {state: _WORDS[state][0] for state in State}
SHORT: Mapping[State, str] = {state: _WORDS[state][1] for state in State}
"""The states in a word or two, for a cell."""
TO_DO = (State.OPENED, State.CLEAN, State.RESOLVABLE, State.NEEDS, State.UNCONFIRMED, State.CONFLICT)
"""The states in which something is left to do, the nearest to the end first."""
SETTLED = tuple(state for state in State if state not in TO_DO)

_DAY = 86_400


def state_text(entry: OriginalState) -> str:
    """Name the state, with what is needed first."""
    return f"missing, needs {', '.join(entry.needs)} first" if entry.needs else entry.state.value


def reason(entry: OriginalState) -> str:
    """Return the reason of a state without a full stop, for use inside a sentence."""
    return entry.reason.rstrip(".")


def next_step(entry: OriginalState) -> str:
    """Return what a person should do next; empty if nothing. Foreign text in it is not inert."""
    match entry.state:
        case State.OPENED:
            return f"Review #{entry.pull_request}."
        case State.CONFLICT:
            return _by_hand(entry)
        case State.UNCONFIRMED:
            return _compare(entry)
        case State.NEEDS:
            return "It follows once that is there." if not entry.waits else f"It waits for {entry.waits}."
        case State.CLEAN | State.RESOLVABLE:
            return f"It waits for {entry.waits}." if entry.waits else "The next run with `--open` proves and opens it."
        case _:
            return ""


def _by_hand(entry: OriginalState) -> str:
    if entry.original.number is None:
        return "Pick it by hand: it has no known pull request."
    command = code(f"/backport {entry.branch}")
    return f"Comment {command} on {entry.original.name}: the reply has the commands to finish it by hand."


def _compare(entry: OriginalState) -> str:
    if entry.original.number is None:
        return "Compare the two changes."
    label, command = code(f"no-backport {entry.branch}"), code(f"/backport {entry.branch}")
    name = entry.original.name
    return (
        f"Compare the two. If the branch lacks nothing, put the label {label} on {name}; else comment {command} there."
    )


def age(entry: OriginalState, moment: int) -> str:
    """Say how long a missing original has been on the main branch."""
    return count(days(entry, moment), "day")


def days(entry: OriginalState, moment: int) -> int:
    """Return how many days a missing original has been on the main branch."""
    return max(0, (moment - entry.original.merged) // _DAY)


def counts(state: BranchState) -> Mapping[State, int]:
    """Count the originals of a branch by state. Those that no rule asks for count as refused by policy."""
    numbers = Counter(entry.state for entry in state.originals)
    numbers[State.REFUSED_BY_POLICY] += len(state.not_asked)
    return {kind: numbers[kind] for kind in State}


def shown_states(branches: Iterable[BranchState]) -> tuple[State, ...]:
    """Return the states that an original has on any of the branches, for the columns of a table."""
    numbers = [counts(branch) for branch in branches if not branch.problem]
    return tuple(kind for kind in State if any(number[kind] for number in numbers))


def headline(state: BranchState) -> str:
    """Sum up a branch on one line."""
    if state.problem:
        return state.problem
    numbers = counts(state)
    missing, in_review, unconfirmed = len(state.missing), numbers[State.OPENED], numbers[State.UNCONFIRMED]
    if not missing and not in_review and not unconfirmed:
        return _nothing_missing(state, numbers[State.ALREADY_APPLIED])
    lead = f"{missing} missing" if missing else "nothing else missing"
    to_confirm = f"{unconfirmed} to confirm, " if unconfirmed else ""
    return f"{lead}, {to_confirm}{count(in_review, 'backport')} open, {numbers[State.ALREADY_APPLIED]} on the branch."


def _nothing_missing(state: BranchState, on_branch: int) -> str:
    if not state.not_asked:
        return f"Nothing is missing, {on_branch} on the branch."
    if any(entry.asked_by for entry in state.originals):
        return f"Nothing that a rule asks for is missing, {on_branch} on the branch."
    return f"No rule asks for any of {count(len(state.not_asked), 'original')}: `sync.rules` says what belongs here."


def missing_over_time(state: BranchState, moments: tuple[int, ...]) -> tuple[int, ...]:
    """Count, for each moment, the originals that were on the main branch, belonged on this branch, and were missing.

    A landed original counts as missing from its merge until it landed, a missing one from its merge until now.
    """
    landed_states = (entry for entry in state.in_states(State.ALREADY_APPLIED) if entry.landed)
    spans: list[tuple[int, int | None]] = [(entry.original.merged, entry.landed) for entry in landed_states]
    spans += [(entry.original.merged, None) for entry in state.in_states(State.OPENED, *MISSING)]
    return tuple(sum(begin <= moment and (end is None or moment < end) for begin, end in spans) for moment in moments)
