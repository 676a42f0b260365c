"""Renders a rehearsal as one HTML page: figures, a chart by branch, and each difference from what people committed.

The page has no script and loads nothing. Text from the repository is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.rehearse.rehearsal import Rehearsal
from bot.rehearse.replay import ReplayOutcome, ReplayResult
from bot.rehearse.summary import Figures, Summary
from bot.report.html_pages import render_template
from bot.report.rehearsal import HEADINGS, figures_row, render_summary, rung_rows

# A longer page is of no use to a reader; --json prints all the data.
_MAX_PAIRS = 300


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar: what it counts, and its width in percent of the longest bar."""

    kind: str
    pairs: int
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One branch in the chart."""

    branch: str
    pairs: int
    segments: tuple[Segment, ...]


def render_page(rehearsal: Rehearsal, summary: Summary) -> str:
    """Return the page."""
    deviations, surplus = _deviations(rehearsal.replays)
    return render_template(
        "rehearsal.html.j2",
        repository=rehearsal.repository,
        sentences=render_summary(summary).splitlines(),
        headings=HEADINGS,
        branches=[(name, figures_row(figures)) for name, figures in sorted(summary.branches.items())],
        rungs=[(name, figures_row(figures)) for name, figures in rung_rows(summary)],
        total=figures_row(summary.all),
        bars=list(_bars(summary)),
        kinds=[kind for kind, _ in _kinds(Figures())],
        shown=deviations,
        more=surplus,
    )


def _kinds(figures: Figures) -> Sequence[tuple[str, int]]:
    conflicts = figures.conflicts - figures.right - figures.wrong
    return (
        ("clean, identical", figures.clean_identical),
        ("clean, different", figures.clean_different),
        ("resolved right", figures.right),
        ("resolved wrong", figures.wrong),
        ("left as a conflict", conflicts),
    )


def _bars(summary: Summary) -> Iterable[Bar]:
    largest = max((figures.pairs for figures in summary.branches.values()), default=1)
    for branch, figures in sorted(summary.branches.items()):
        segments = (Segment(kind, pairs, round(100 * pairs / largest, 2)) for kind, pairs in _kinds(figures) if pairs)
        yield Bar(branch, figures.pairs, tuple(segments))


@dataclass(frozen=True, slots=True)
class Deviation:
    """A pair that did not come out as people landed it."""

    replayed: ReplayResult
    date: str
    verdict: str


def _deviations(pairs: Iterable[ReplayResult]) -> tuple[list[Deviation], int]:
    """Return the pairs to show, wrong resolutions first, and the number of those left out."""
    ranks = [(rank, pair) for pair in pairs if (rank := _rank(pair)) is not None]
    ranks.sort(key=lambda item: item[0])
    deviations = [Deviation(pair, _day(pair), _VERDICTS[rank]) for rank, pair in ranks[:_MAX_PAIRS]]
    return deviations, len(ranks) - len(deviations)


_VERDICTS = ("resolved, not as people did", "clean, but people landed something else", "left as a conflict")


def _rank(pair: ReplayResult) -> int | None:
    if pair.ending is ReplayOutcome.RESOLVABLE and not pair.right:
        return 0
    if pair.ending is ReplayOutcome.CLEAN and not pair.identical:
        return 1
    return 2 if pair.ending is ReplayOutcome.CONFLICT else None


def _day(pair: ReplayResult) -> str:
    return datetime.fromtimestamp(pair.pair.date, UTC).strftime("%Y-%m-%d")
