"""The tracking issue of a branch, and the summary of a run: Markdown, grouped by state, with what to do next.

Owns title and body. One issue for each branch is edited in place, so equal facts give an equal text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.report.sync_text import ICONS, SETTLED, TO_DO, age, counts, headline, next_step
from bot.sync.survey import SyncReport
from bot.sync.types import BranchState, OriginalState, State
from bot.text.markdown import shorten, visible
from bot.text.markers import tracking_marker
from bot.text.templates import render

MAX_BODY = 65_000
_MOST_LISTED = 50


@dataclass(frozen=True, slots=True)
class _Group:
    """The originals of one state, oldest first, and how many more there are than are listed."""

    state: State
    icon: str
    number: int
    rows: Sequence[tuple[OriginalState, str, str]]
    more: int


def issue_title(state: BranchState) -> str:
    """Return the tracking issue's title."""
    return shorten(f"Backports to {visible(state.branch)}", 250)


def render_issue(state: BranchState, survey: SyncReport, *, template: str | None = None) -> str:
    """Return the tracking issue's body, its hidden marker first: what is cut off for length is the end.

    `template` is the configured text in place of ours.
    """
    body = render(
        "sync_issue",
        template,
        state=state,
        headline=headline(state),
        main=survey.main,
        to_do=_groups(state, TO_DO, survey.moment),
        settled=_groups(state, (s for s in SETTLED if s is not State.ALREADY_APPLIED), survey.moment),
        there=counts(state)[State.ALREADY_APPLIED],
        not_asked=len(state.not_asked),
    )
    return f"{tracking_marker(state.branch)}\n{shorten(body, MAX_BODY)}"


def render_summary(survey: SyncReport, *, template: str | None = None) -> str:
    """Return the summary of a run: every branch in a line, then what is left to do."""
    return render(
        "sync_summary",
        template,
        survey=survey,
        states=[(state.value, ICONS[state]) for state in State],
        rows=[(state, headline(state), list(counts(state).values())) for state in survey.branches],
        details=[(state, _groups(state, TO_DO, survey.moment)) for state in survey.branches],
    )


def _groups(state: BranchState, wanted: Iterable[State], moment: int) -> list[_Group]:
    groups = []
    for each in wanted:
        standings = state.having(each)
        if standings:
            rows = [(one, age(one, moment), next_step(one)) for one in standings[:_MOST_LISTED]]
            groups.append(_Group(each, ICONS[each], len(standings), rows, len(standings) - len(rows)))
    return groups
