"""A sync run as one HTML page: how the branches fare, which original is where, and every row explained.

Owns the page and the geometry of its chart. It holds no script and loads nothing; what comes from the repository is
escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.report.sync_text import SHORT, TO_DO, counts, days, headline, missing_over_time, next_step, state_text
from bot.sync.survey import SyncReport
from bot.sync.types import BranchState, Original, OriginalState, State

_WEEKS = 52
_WEEK = 7 * 86_400
_WIDTH, _HEIGHT = 520, 64
# Beyond this a table is too long to be looked at; the data beside the page has every row.
_MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """One branch in the chart: what it lacked in each of the last weeks, as points of an SVG line."""

    branch: str
    points: str
    most: int
    now: int


@dataclass(frozen=True, slots=True)
class Row:
    """One original in the matrix, with its standing on each branch; None where nothing asks for it there."""

    original: Original
    cells: Sequence[OriginalState | None]


def render_page(survey: SyncReport) -> str:
    """Return the page."""
    environment = Environment(
        loader=PackageLoader("bot.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    read = [state for state in survey.branches if not state.problem]
    rows = matrix(read)
    return environment.get_template("sync.html.j2").render(
        repository=survey.repository,
        main=survey.main,
        when=f"{datetime.fromtimestamp(survey.moment, UTC):%Y-%m-%d %H:%M} UTC",
        states=list(State),
        short=SHORT,
        state_text=state_text,
        branches=[(state, headline(state), counts(state)) for state in survey.branches],
        lines=[chart_line(state, survey.moment) for state in read],
        width=_WIDTH,
        height=_HEIGHT,
        weeks=_WEEKS,
        names=[state.branch for state in read],
        rows=rows[:_MOST_ROWS],
        more=max(0, len(rows) - _MOST_ROWS),
        explained=[(state, _explained(state, survey.moment)) for state in read],
        most=_MOST_ROWS,
    )


def matrix(states: Sequence[BranchState]) -> list[Row]:
    """Return every original of which there is something to say on any branch, the newest first."""
    found = {each.original.position: each.original for state in states for each in state.originals}
    by_branch = [{each.original.position: each for each in state.originals} for state in states]
    return [Row(found[at], [known.get(at) for known in by_branch]) for at in sorted(found, reverse=True)]


def chart_line(state: BranchState, moment: int) -> Line:
    """Lay out how much a branch lacked week by week."""
    moments = tuple(moment - _WEEK * weeks for weeks in range(_WEEKS, -1, -1))
    numbers = missing_over_time(state, moments)
    most = max(numbers)
    points = (
        f"{index * _WIDTH / _WEEKS:.1f},{_HEIGHT - (_HEIGHT - 4) * number / max(most, 1):.1f}"
        for index, number in enumerate(numbers)
    )
    return Line(state.branch, " ".join(points), most, numbers[-1])


def _explained(state: BranchState, moment: int) -> list[tuple[OriginalState, int | None, str]]:
    """Return what is not simply there: what is left to do first, then why each of the others is not on the branch."""
    return [
        (each, days(each, moment) if kind in TO_DO else None, next_step(each).replace("`", ""))
        for kind in _order(TO_DO)
        for each in state.having(kind)
    ]


def _order(first: Iterable[State]) -> list[State]:
    ahead = list(first)
    return [*ahead, *(state for state in State if state not in ahead and state is not State.ALREADY_APPLIED)]
