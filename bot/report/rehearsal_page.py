"""A rehearsal as one HTML page: figures, a chart by branch, and every difference from what people committed.

Owns the page. It holds no script and loads nothing; what comes from the repository is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.rehearse.rehearsal import Rehearsal
from bot.rehearse.replay import Ending, Replayed
from bot.rehearse.summary import Figures, Summary
from bot.report.rehearsal import HEADINGS, figures_row, render_summary, rung_rows

_WIDTH = 640
_BAR, _GAP = 18, 8
# Beyond this a page is too long to be looked at; the data is in --json.
_MOST_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar: what it counts, and where it lies, in pixels."""

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
    shown, more = _to_show(rehearsal.replayed)
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
        shown=shown,
        more=more,
    )


def _kinds(figures: Figures) -> Sequence[tuple[str, int]]:
    unresolved = figures.conflicts - figures.right - figures.wrong
    return (
        ("clean, identical", figures.clean_identical),
        ("clean, different", figures.clean_different),
        ("resolved right", figures.right),
        ("resolved wrong", figures.wrong),
        ("left as a conflict", unresolved),
    )


def _bars(summary: Summary) -> Iterable[Bar]:
    most = max((figures.pairs for figures in summary.branches.values()), default=1)
    for row, (branch, figures) in enumerate(sorted(summary.branches.items())):
        segments, left = [], 0.0
        for kind, pairs in _kinds(figures):
            width = _WIDTH * pairs / most
            segments.append(Segment(kind, pairs, round(left, 2), round(width, 2)))
            left += width
        yield Bar(branch, figures.pairs, row * (_BAR + _GAP), tuple(segments))


@dataclass(frozen=True, slots=True)
class Shown:
    """A pair that did not come out as people landed it."""

    replayed: Replayed
    date: str
    verdict: str


def _to_show(replayed: Iterable[Replayed]) -> tuple[list[Shown], int]:
    """Return the pairs to look at, wrong resolutions first, and how many more there are."""
    told = [(rank, each) for each in replayed if (rank := _rank(each)) is not None]
    told.sort(key=lambda item: item[0])
    shown = [Shown(each, _day(each), _VERDICTS[rank]) for rank, each in told[:_MOST_SHOWN]]
    return shown, len(told) - len(shown)


_VERDICTS = ("resolved, not as people did", "clean, but people landed something else", "left as a conflict")


def _rank(each: Replayed) -> int | None:
    if each.ending is Ending.RESOLVED and not each.right:
        return 0
    if each.ending is Ending.CLEAN and not each.identical:
        return 1
    return 2 if each.ending is Ending.CONFLICT else None


def _day(each: Replayed) -> str:
    return datetime.fromtimestamp(each.pair.date, UTC).strftime("%Y-%m-%d")
