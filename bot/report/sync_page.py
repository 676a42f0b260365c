"""Renders a sync run as one HTML page: the branches, a chart, a matrix of the originals, and the reason for each state.

The page has no script and loads nothing. Text from the repository is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.report.html_pages import render_template
from bot.report.sync_text import (
    SHORT,
    TO_DO,
    counts,
    days,
    headline,
    missing_over_time,
    next_step,
    shown_states,
    state_text,
)
from bot.sync.survey import SyncReport
from bot.sync.types import BranchState, Original, OriginalState, State

WEEKS = 52
_WEEK = 7 * 86_400
_WIDTH, _HEIGHT = 520, 64
# A longer table is of no use to a reader; the data beside the page has every row.
_MAX_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """One branch in the chart: what it lacked in each of the last weeks, as the points of an SVG line."""

    branch: str
    points: str
    most: int
    now: int


@dataclass(frozen=True, slots=True)
class Row:
    """One original in the matrix, with its state on each branch; None if no rule asks for it there."""

    original: Original
    cells: Sequence[OriginalState | None]


def render_page(survey: SyncReport) -> str:
    """Return the page."""
    branches = [state for state in survey.branches if not state.problem]
    rows = matrix(branches)
    return render_template(
        "sync.html.j2",
        repository=survey.repository,
        main=survey.main,
        when=f"{datetime.fromtimestamp(survey.moment, UTC):%Y-%m-%d %H:%M} UTC",
        states=list(State),
        shown=shown_states(survey.branches),
        short=SHORT,
        state_text=state_text,
        branches=[(state, headline(state), counts(state)) for state in survey.branches],
        lines=[chart_line(state, survey.moment) for state in branches],
        width=_WIDTH,
        height=_HEIGHT,
        weeks=WEEKS,
        names=[state.branch for state in branches],
        rows=rows[:_MAX_ROWS],
        more=max(0, len(rows) - _MAX_ROWS),
        explained=[(state, _explanations(state, survey.moment)) for state in branches],
        most=_MAX_ROWS,
    )


def matrix(states: Sequence[BranchState]) -> list[Row]:
    """Return each original that has a state on any branch, the newest first."""
    originals = {entry.original.position: entry.original for state in states for entry in state.originals}
    by_branch = [{entry.original.position: entry for entry in state.originals} for state in states]
    return [
        Row(originals[position], [entries.get(position) for entries in by_branch])
        for position in sorted(originals, reverse=True)
    ]


def chart_line(state: BranchState, moment: int) -> Line:
    """Lay out the number of originals that a branch lacked, week by week."""
    moments = tuple(moment - _WEEK * weeks for weeks in range(WEEKS, -1, -1))
    numbers = missing_over_time(state, moments)
    highest = max(numbers)
    points = (
        f"{index * _WIDTH / WEEKS:.1f},{_HEIGHT - (_HEIGHT - 4) * number / max(highest, 1):.1f}"
        for index, number in enumerate(numbers)
    )
    return Line(state.branch, " ".join(points), highest, numbers[-1])


def _explanations(state: BranchState, moment: int) -> list[tuple[OriginalState, int | None, str]]:
    """Return each original that is not on the branch, with its age and next step; those with work to do come first."""
    return [
        (entry, days(entry, moment) if kind in TO_DO else None, next_step(entry).replace("`", ""))
        for kind in _order(TO_DO)
        for entry in state.in_states(kind)
    ]


def _order(first: Iterable[State]) -> list[State]:
    ahead = list(first)
    return [*ahead, *(state for state in State if state not in ahead and state is not State.ALREADY_APPLIED)]
