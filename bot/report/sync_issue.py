"""Renders a branch's tracking issue and a run's summary: Markdown, grouped by state, with the next step of each row.

A run edits each branch's issue in place. So the same facts always give the same text.
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
_MAX_LISTED = 50


@dataclass(frozen=True, slots=True)
class _Group:
    """The originals of one state, oldest first. `more` is the number of those that are not listed."""

    state: State
    icon: str
    number: int
    rows: Sequence[tuple[OriginalState, str, str]]
    more: int


def issue_title(state: BranchState) -> str:
    """Return the tracking issue's title."""
    return shorten(f"Backports to {visible(state.branch)}", 250)


def render_issue(state: BranchState, survey: SyncReport, *, template: str | None = None) -> str:
    """Return the tracking issue's body. The hidden marker comes first, since a text that is too long loses its end.

    `template` is the configured template, or None for ours.
    """
    body = render(
        "sync_issue",
        template,
        state=state,
        headline=headline(state),
        main=survey.main,
        to_do=_groups(state, TO_DO, survey.moment),
        settled=_groups(state, (kind for kind in SETTLED if kind is not State.ALREADY_APPLIED), survey.moment),
        there=counts(state)[State.ALREADY_APPLIED],
        not_asked=len(state.not_asked),
    )
    return f"{tracking_marker(state.branch)}\n{shorten(body, MAX_BODY)}"


def render_summary(survey: SyncReport, *, template: str | None = None) -> str:
    """Return the summary of a run: each branch on a line, then what is left to do."""
    return render(
        "sync_summary",
        template,
        survey=survey,
        states=[(state.value, ICONS[state]) for state in State],
        rows=[(state, headline(state), list(counts(state).values())) for state in survey.branches],
        details=[(state, _groups(state, TO_DO, survey.moment)) for state in survey.branches],
    )


def _groups(state: BranchState, kinds: Iterable[State], moment: int) -> list[_Group]:
    groups = []
    for kind in kinds:
        originals = state.in_states(kind)
        if originals:
            rows = [(original, age(original, moment), next_step(original)) for original in originals[:_MAX_LISTED]]
            groups.append(_Group(kind, ICONS[kind], len(originals), rows, len(originals) - len(rows)))
    return groups
