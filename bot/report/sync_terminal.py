"""Renders a sync run for a terminal: a table of the branches, then a line for each original with work to do."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from bot.report.sync_text import SHORT, TO_DO, age, counts, headline, next_step, reason, shown_states, state_text
from bot.report.terminal import MAX_LISTED, number_table, plain
from bot.sync.survey import SyncReport
from bot.sync.types import BranchState, OriginalState


def branches_table(survey: SyncReport) -> Table:
    """Lay out the branches with their originals counted by state."""
    shown = shown_states(survey.branches)
    table = number_table(
        f"originals on {survey.main} since each branch point", "branch", [SHORT[kind] for kind in shown]
    )
    for state in survey.branches:
        if not state.problem:
            numbers = counts(state)
            table.add_row(Text(plain(state.branch)), *(str(numbers[kind] or "") for kind in shown))
    return table


def render_lines(survey: SyncReport) -> str:
    """List for each branch what is left to do."""
    lines: list[str] = []
    for state in survey.branches:
        lines.append(f"{plain(state.branch)}: {plain(headline(state))}")
        originals = _to_do(state)
        lines += [_line(original, survey.moment) for original in originals[:MAX_LISTED]]
        if len(originals) > MAX_LISTED:
            lines.append(f"  … and {len(originals) - MAX_LISTED} more; --report DIR has them all")
    return "\n".join(lines)


def _to_do(state: BranchState) -> tuple[OriginalState, ...]:
    return tuple(original for kind in TO_DO for original in state.in_states(kind))


def _line(entry: OriginalState, moment: int) -> str:
    original = entry.original
    sentence = f"{original.name} {original.title}: {state_text(entry)}, {reason(entry)}. {next_step(entry)}"
    return f"  {plain(sentence)} ({age(entry, moment)})"
