"""Renders a rehearsal as one HTML page: figures, a chart by branch, and each difference from what people committed.

The page has no script and loads nothing. Text from the repository is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.rehearse.rehearsal import Rehearsal
from bot.rehearse.replay import ReplayOutcome, ReplayResult
from bot.rehearse.summary import Figures, Summary
from bot.report.rehearsal import HEADINGS, figures_row, render_summary, rung_rows

_WIDTH = 640
_BAR, _GAP = 18, 8
# A longer page is of no use to a reader; --json prints all the data.
_MAX_PAIRS = 300


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar: what it counts, and its place in pixels."""

    kind: str
    pairs: int
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One branch in the chart."""

    branch: str
    pairs: int
    top: int
    segments: tuple[Segment, ...]


def render_page(rehearsal: Rehearsal, summary: Summary) -> str:
    """Return the page."""
    environment = Environment(
        loader=PackageLoader("bot.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    bars = list(_bars(summary))
    deviations, surplus = _deviations(rehearsal.replays)
    return environment.get_template("rehearsal.html.j2").render(
        repository=rehearsal.repository,
        sentences=render_summary(summary).splitlines(),
        headings=HEADINGS,
        branches=[(name, figures_row(figures)) for name, figures in sorted(summary.branches.items())],
        rungs=[(name, figures_row(figures)) for name, figures in rung_rows(summary)],
        total=figures_row(summary.all),
        bars=bars,
        kinds=[kind for kind, _ in _kinds(Figures())],
        height=len(bars) * (_BAR + _GAP),
        bar=_BAR,
        width=_WIDTH,
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
    for row, (branch, figures) in enumerate(sorted(summary.branches.items())):
        segments, offset = [], 0.0
        for kind, pairs in _kinds(figures):
            width = _WIDTH * pairs / largest
            segments.append(Segment(kind, pairs, round(offset, 2), round(width, 2)))
            offset += width
        yield Bar(branch, figures.pairs, row * (_BAR + _GAP), tuple(segments))


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
