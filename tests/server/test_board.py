"""A cell of the board, from the last reading of a branch and the last run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.server.pages.board import Filter, Group, board_rows
from bot.server.pages.run_queries import LastRun
from bot.sync.types import State
from tests.sync.states import MOMENT, branch, state_of, survey

_BRANCHES = ["release/1.0"]


def _run(ending: str | None, *, step: str | None = None, hours: float = 1, original: int = 3) -> LastRun:
    """Make a run that ended some hours after the reading."""
    since = datetime.fromtimestamp(MOMENT, UTC) + timedelta(hours=hours)
    return LastRun(
        id=1, original=original, target="release/1.0", step=step, since=since, ending=ending, proof=None, opened=None
    )


@pytest.mark.parametrize(
    ("state", "run", "group"),
    [
        (State.CLEAN, None, Group.MISSING),
        (State.CLEAN, _run(None, step="prove", hours=-1), Group.UNDER_WAY),
        (State.CLEAN, _run("opened"), Group.OPENED),
        (State.CLEAN, _run("opened", hours=-1), Group.MISSING),  # it was closed since
        (State.CLEAN, _run("not-proven", hours=-1), Group.NOT_PROVEN),
        (State.OPENED, _run("already-applied"), Group.MERGED),
        (State.ALREADY_APPLIED, _run("conflict"), Group.MERGED),
        (State.REFUSED_BY_PERSON, _run("failed"), Group.REFUSED),
    ],
)
def test_what_is_newer_decides(state: State, run: LastRun | None, group: Group) -> None:
    report = survey(branch(state_of(3, state)))
    (row,) = board_rows(report, [run] if run else [], _BRANCHES)
    (cell,) = row.cells
    assert cell is not None
    assert cell.group is group


def test_an_original_that_only_a_run_knows_has_a_row_without_a_reading() -> None:
    (row,) = board_rows(None, [_run("conflict", original=8)], _BRANCHES)
    assert (row.name, row.title) == ("#8", "")
    assert Filter().takes(row, _BRANCHES)
    assert not Filter(state="merged").takes(row, _BRANCHES)
    assert not Filter(age=1).takes(row, _BRANCHES)
