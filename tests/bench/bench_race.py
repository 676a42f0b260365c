"""Three processes race for one branch. One is stopped at a request, beyond its lease, and later goes on.

.venv/bin/python -m pytest tests/bench/bench_race.py -p no:xdist -o timeout=0 -s
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.bench.conftest import cpu, show
from tests.conftest import empty_database
from tests.server.kill_lab import KillLab, Strikes, kill_lab
from tests.server.lab_history import FIRST, TARGETS
from tests.server.lab_state import difference

_FIRST = int(os.environ.get("BENCH_RACE_FIRST", "1"))
"""The request of the first race; that of each later one is the next."""
_ROUNDS = int(os.environ.get("BENCH_RACE_ROUNDS", "45"))
_SETTLED = 3.0
"""Seconds that a continued process gets for what it still wants to do."""


def test_race(tmp_path: Path, service_database: str, capsys: pytest.CaptureFixture[str]) -> None:
    empty_database(service_database)
    places: Counter[str] = Counter()
    doubled: list[str] = []
    with kill_lab(tmp_path, 1 + _ROUNDS, service_database, processes=3) as lab:
        lab.serve(FIRST, TARGETS[:1], Strikes(first=0))
        expected = lab.state(FIRST)
        for turn in range(_ROUNDS):
            lab.serve(FIRST + 1 + turn, TARGETS[:1], Strikes(first=_FIRST + turn, stops=True, group=bool(turn % 2)))
            if not lab.go_on():
                places["not stopped"] += 1
                continue
            threading.Event().wait(_SETTLED)
            places.update(lab.switch.struck)
            effects = Counter(
                entry for entry in lab.switch.log if entry.endswith(("/pulls", "/comments", "receive-pack"))
            )
            doubled += [
                f"#{FIRST + 1 + turn} {name}" for name, count in effects.items() if "POST" in name and count > 1
            ]
            _wait_until_idle(lab)
            other = difference(expected, lab.state(FIRST + 1 + turn))
            with capsys.disabled():
                print(f"{_FIRST + turn}: {lab.switch.struck}: {'ANOTHER END' if other else 'same'}")  # noqa: T201
                print(other, end="", flush=True)  # noqa: T201
        others = {number: difference(expected, lab.state(number)) for number in range(FIRST + 1, FIRST + 1 + _ROUNDS)}
    rows = [("another end", str(sum(map(bool, others.values())))), ("asked for twice", str(doubled))]
    with capsys.disabled():
        show(
            f"{_ROUNDS} races, {cpu():.0f} s of processor",
            [*rows, *((name, str(count)) for name, count in places.items())],
        )
    assert not any(others.values())


def _wait_until_idle(lab: KillLab) -> None:
    while not lab.is_idle():
        threading.Event().wait(0.1)
