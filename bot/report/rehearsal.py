"""Renders a rehearsal for a terminal: the tables, and the sentences under them.

The page with the chart is in `rehearsal_page`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.table import Table
from rich.text import Text

from bot.rehearse.summary import Figures, Summary
from bot.report.terminal import number_table, plain
from bot.text.markdown import count

HEADINGS = ("pairs", "identical", "different", "conflicts", "right", "wrong", "certain", "and right")
LEGEND = (
    "identical, different: clean picks, compared with what people landed on every path; right, wrong: resolved "
    "conflicts, compared on the files that were in conflict; certain: resolved with certainty."
)
NO_STRATEGY = "left as a conflict"


def figures_row(figures: Figures) -> tuple[str, ...]:
    """Return the counts in the order of HEADINGS."""
    return tuple(map(str, figures.as_json().values()))


def rung_rows(summary: Summary) -> list[tuple[str, Figures]]:
    """Return the figures of each strategy, sorted by the pairs it decided. Pairs that none decided come last."""
    rungs = sorted(summary.rungs.items(), key=lambda item: (not item[0], -item[1].pairs))
    return [(rung or NO_STRATEGY, figures) for rung, figures in rungs]


def summary_tables(summary: Summary, title: str) -> Iterable[Table]:
    """Lay out the figures by branch, with the sum, and by strategy."""
    branches = sorted(summary.branches.items())
    yield _table(title, "branch", [*branches, ("all", summary.all)])
    yield _table("by strategy", "strategy", rung_rows(summary))


def _table(title: str, first: str, rows: Iterable[tuple[str, Figures]]) -> Table:
    table = number_table(title, first, HEADINGS)
    for name, figures in rows:
        table.add_row(Text(plain(name)), *figures_row(figures))
    return table


def render_summary(summary: Summary) -> str:
    """Explain the figures: how many conflicts were resolved, and how many of those as people resolved them."""
    figures = summary.all
    lines = [LEGEND, _clean_sentence(figures), *_conflict_sentences(figures)]
    lines += [
        f"{count(number, 'backport')} left out: {plain(reason)}" for reason, number in _by_number(summary.left_out)
    ]
    lines.append(f"{summary.picks_per_second:.1f} picks a second.")
    return "\n".join(lines)


def _clean_sentence(figures: Figures) -> str:
    clean = figures.clean_identical + figures.clean_different
    return (
        f"{count(clean, 'pick')} of {figures.pairs} applied cleanly, {figures.clean_identical} of them exactly as "
        "people landed them."
    )


def _conflict_sentences(figures: Figures) -> Iterable[str]:
    if not figures.conflicts:
        return
    resolutions = figures.right + figures.wrong
    yield (
        f"{count(figures.conflicts, 'conflict')}: {resolutions} resolved ({_share(resolutions, figures.conflicts)}), "
        f"{figures.right} of them as people did ({_share(figures.right, resolutions)})."
    )
    yield (
        f"Of {figures.certain} resolved with certainty ({_share(figures.certain, figures.conflicts)} of the conflicts) "
        f"{figures.certain_right} are as people did ({_share(figures.certain_right, figures.certain)})."
    )


def _by_number(left_out: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(left_out.items(), key=lambda item: -item[1])


def _share(part: int, total: int) -> str:
    return f"{100 * part / total:.1f} %" if total else "none"
