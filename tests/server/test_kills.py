"""The service is killed in the middle of its work: the end is as if it had not been.

tests/bench/bench_kills.py kills at every request and at every record.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import empty_database
from tests.server.kill_lab import KillLab, Strikes, kill_lab
from tests.server.lab_history import FIRST, TARGETS
from tests.server.lab_state import State

_TARGETS = TARGETS[:2]
_KILLS = {
    "a push": "git-receive-pack",
    "a pull request": "/pulls",
    "the status comment": "/comments",
    "a check run": "/check-runs",
}
"""What ends as an outside effect does; the first of its kind is struck."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, service_database: str) -> Iterator[KillLab]:
    empty_database(service_database)
    with kill_lab(tmp_path_factory.mktemp("lab"), 1 + len(_KILLS), service_database) as opened:
        yield opened


@pytest.fixture(scope="module")
def expected(lab: KillLab) -> State:
    lab.serve(FIRST, _TARGETS)
    state = lab.state(FIRST)
    assert [len(state["backports"][target]) for target in _TARGETS] == [1, 1]
    return state


@pytest.mark.parametrize("effect", _KILLS)
def test_after_a_kill_the_end_is_the_same(lab: KillLab, expected: State, effect: str) -> None:
    number = FIRST + 1 + list(_KILLS).index(effect)
    assert lab.serve(number, _TARGETS, Strikes(first=1, only_effects=True, ending=_KILLS[effect])) == 1
    assert lab.state(number) == expected
