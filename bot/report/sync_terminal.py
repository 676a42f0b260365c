"""A sync run in a terminal: a table of the branches, then a line for each original with something left to do."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from bot.report.sync_text import SHORT, TO_DO, age, counts, headline, next_step, state_text, why
from bot.report.terminal import LISTED, plain
from bot.sync.survey import SyncReport
from bot.sync.types import BranchState, OriginalState


def branches_table(survey: SyncReport) -> Table:
    """Lay out the branches with their originals counted by state."""
    table = Table(title=Text(f"originals on {plain(survey.main)} since each branch point"), title_justify="left")
    table.add_column("branch", no_wrap=True)
    for heading in SHORT.values():
        table.add_column(heading, justify="right")
    for state in survey.branches:
        if not state.problem:
            numbers = counts(state)
            table.add_row(Text(plain(state.branch)), *(str(numbers[each] or "") for each in SHORT))
    return table


def render_lines(survey: SyncReport) -> str:
    """Say for each branch what is left to do."""
    lines: list[str] = []
    for state in survey.branches:
        lines.append(f"{plain(state.branch)}: {plain(headline(state))}")
        left = _left(state)
        lines += [_line(each, survey.moment) for each in left[:LISTED]]
        if len(left) > LISTED:
            lines.append(f"  … and {len(left) - LISTED} more; --report DIR has them all")
    return "\n".join(lines)


def _left(state: BranchState) -> tuple[OriginalState, ...]:
    return tuple(each for kind in TO_DO for each in state.having(kind))


def _line(standing: OriginalState, moment: int) -> str:
    original = standing.original
    said = f"{original.name} {original.title}: {state_text(standing)}, {why(standing)}. {next_step(standing)}"
    return f"  {plain(said)} ({age(standing, moment)})"
