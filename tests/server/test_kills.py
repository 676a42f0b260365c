"""The service is killed in the middle of its work: the end is as if it had not been.

tests/bench/bench_kills.py kills at every request.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import empty_database
from tests.server.kill_lab import FIRST, TARGETS, KillLab, kill_lab

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
def expected(lab: KillLab) -> dict[str, Any]:
    lab.serve(FIRST, _TARGETS, at=None)
    state = lab.state(FIRST)
    assert [len(state["backports"][target]) for target in _TARGETS] == [1, 1]
    return state


@pytest.mark.parametrize("effect", _KILLS)
def test_after_a_kill_the_end_is_the_same(lab: KillLab, expected: dict[str, Any], effect: str) -> None:
    number = FIRST + 1 + list(_KILLS).index(effect)
    struck = lab.serve(number, _TARGETS, at=1, only_effects=True, ending=_KILLS[effect])
    assert struck.startswith("after ")
    assert lab.state(number) == expected
