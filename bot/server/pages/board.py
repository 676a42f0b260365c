"""The board: each original beside each stable branch, from the last reading of the branches and the recorded runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.models import Status
from bot.pipeline.run import Step
from bot.report.sync_text import days, next_step, state_text
from bot.server.pages.run_queries import LastRun
from bot.server.pages.words import ENDINGS, STEP_NAMES
from bot.sync.survey import SyncReport
from bot.sync.types import MISSING, OriginalState, State


class Group(StrEnum):
    """What a reader filters by."""

    UNDER_WAY = "under way"
    OPENED = "opened"
    MISSING = "missing"
    NOT_PROVEN = "not proven"
    CONFLICT = "conflict"
    TO_CONFIRM = "to confirm"
    MERGED = "merged"
    NOT_AFFECTED = "not affected"
    REFUSED = "refused"


TO_DO = frozenset({Group.UNDER_WAY, Group.OPENED, Group.MISSING, Group.NOT_PROVEN, Group.CONFLICT, Group.TO_CONFIRM})
"""The groups in which something is left to do."""
KINDS: Mapping[Group, str] = {
    Group.UNDER_WAY: "busy",
    Group.OPENED: "busy",
    Group.MISSING: "warn",
    Group.NOT_PROVEN: "bad",
    Group.CONFLICT: "bad",
    Group.TO_CONFIRM: "warn",
    Group.MERGED: "good",
    Group.NOT_AFFECTED: "quiet",
    Group.REFUSED: "quiet",
}
_OF_STATE = {
    State.ALREADY_APPLIED: Group.MERGED,
    State.OPENED: Group.OPENED,
    State.CLEAN: Group.MISSING,
    State.RESOLVABLE: Group.MISSING,
    State.NEEDS: Group.MISSING,
    State.CONFLICT: Group.CONFLICT,
    State.UNCONFIRMED: Group.TO_CONFIRM,
    State.NOT_AFFECTED: Group.NOT_AFFECTED,
    State.NOTHING_LEFT: Group.NOT_AFFECTED,
    State.REFUSED_BY_POLICY: Group.REFUSED,
    State.REFUSED_BY_PERSON: Group.REFUSED,
    State.REVERTED: Group.REFUSED,
}
_OF_STATUS = {
    Status.OPENED: Group.OPENED,
    Status.ALREADY_APPLIED: Group.MERGED,
    Status.NOT_AFFECTED: Group.NOT_AFFECTED,
    Status.NOTHING_LEFT: Group.NOT_AFFECTED,
    Status.CONFLICT: Group.CONFLICT,
    Status.NOT_PROVEN: Group.NOT_PROVEN,
    Status.FAILED: Group.MISSING,
    Status.WOULD_OPEN: Group.MISSING,
    Status.CANCELLED: Group.REFUSED,
}
# A member that is missing above is an error when this module is imported.
GROUP_OF_STATE = {state: _OF_STATE[state] for state in State}
GROUP_OF_STATUS = {status: _OF_STATUS[status] for status in Status}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """An original on a branch. `why` gives the reason, `age` the days that it has been missing."""

    group: Group
    why: str = ""
    next: str = ""
    age: int | None = None
    run: LastRun | None = None
    opened: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """An original with its cell on each branch; None where nothing asks for it."""

    name: str
    number: int | None
    title: str
    url: str
    author: str
    merged: int
    cells: Sequence[Cell | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a reader wants to see. Empty or None: whatever it is. `state` is a group, "open" or "all"."""

    author: str = ""
    branch: str = ""
    state: str = "open"
    age: int = 0

    def takes(self, row: BoardRow, branches: Sequence[str]) -> bool:
        """Say whether a row is shown: its author's, with a cell that is asked for."""
        if self.author and row.author != self.author:
            return False
        return any(
            cell is not None and self._takes_cell(cell)
            for branch, cell in zip(branches, row.cells, strict=True)
            if self.branch in ("", branch)
        )

    def _takes_cell(self, cell: Cell) -> bool:
        if self.age and (cell.age is None or cell.age < self.age):
            return False
        if self.state == "open":
            return cell.group in TO_DO
        return self.state in ("all", "", cell.group)


def board_rows(report: SyncReport | None, runs: Sequence[LastRun], branches: Sequence[str]) -> list[BoardRow]:
    """Return each original with a state on one of the branches, the one merged last first.

    Of an original that only runs know, the title is empty and the moment of the merge is 0.
    """
    last_runs = {(run.original, run.target): run for run in runs}
    states = {state.branch: state for state in report.branches} if report else {}
    moment = report.moment if report else 0
    entries = {
        branch: {entry.original.position: entry for entry in states[branch].originals} if branch in states else {}
        for branch in branches
    }
    originals = {entry.original.position: entry.original for by in entries.values() for entry in by.values()}
    rows = [
        BoardRow(
            name=original.name,
            number=original.number,
            title=original.title,
            url=original.url,
            author=original.author,
            merged=original.merged,
            cells=[
                _cell(entries[branch].get(position), last_runs.get((original.number or 0, branch)), moment)
                for branch in branches
            ],
        )
        for position, original in originals.items()
    ]
    known_numbers = {row.number for row in rows}
    for number in sorted({run.original for run in runs} - known_numbers, reverse=True):
        cells = [_cell(None, last_runs.get((number, branch)), moment) for branch in branches]
        rows.append(BoardRow(name=f"#{number}", number=number, title="", url="", author="", merged=0, cells=cells))
    return sorted(rows, key=lambda row: (row.number or 0, row.merged), reverse=True)


def _cell(entry: OriginalState | None, run: LastRun | None, moment: int) -> Cell | None:
    """Combine the reading of a branch with the last run, which may be newer than the reading."""
    if run is not None and run.step is not None:
        return Cell(group=Group.UNDER_WAY, why=f"next step: {STEP_NAMES[Step(run.step)]}", run=run)
    if entry is None:
        return _cell_of_run(run) if run is not None else None
    is_newer = run is not None and run.since.timestamp() > moment
    if run is not None and is_newer and entry.state in (*MISSING, State.OPENED):
        return _cell_of_run(run)
    is_missing = entry.state in MISSING
    group = GROUP_OF_STATE[entry.state]
    if is_missing and run is not None and run.ending == Status.NOT_PROVEN:
        group = Group.NOT_PROVEN
    return Cell(
        group=group,
        why=f"{state_text(entry)}: {entry.reason}" if entry.reason else state_text(entry),
        next=next_step(entry),
        age=days(entry, moment) if is_missing else None,
        run=run,
        opened=entry.pull_request,
    )


def _cell_of_run(run: LastRun) -> Cell:
    words, _ = ENDINGS.get(run.ending or "", ("", ""))
    group = GROUP_OF_STATUS[Status(run.ending)] if run.ending in set(Status) else Group.MISSING
    return Cell(group=group, why=f"the last run: {words}", run=run, opened=run.opened)
