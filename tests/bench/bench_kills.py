"""The service is killed again and again in each request for four branches: at its requests, and at its records.

BENCH_KILLS=500 .venv/bin/python -m pytest tests/bench/bench_kills.py -p no:xdist -o timeout=0 -s
"""

from __future__ import annotations

import itertools
import os
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.conftest import cpu, show
from tests.conftest import empty_database
from tests.server.kill_lab import KillLab, Strikes, kill_lab
from tests.server.lab_history import FIRST
from tests.server.lab_state import difference

_KILLS = int(os.environ.get("BENCH_KILLS", "500"))
_PROCESSES = int(os.environ.get("BENCH_KILLS_PROCESSES", "1"))
_MOST = 8
"""Kills in one request."""
_RECORDS = 12
"""The most records that a process makes before its fuse kills it."""
_EFFECTS = 5
"""Requests that change something between two kills."""
_STRIDE = 13
"""Requests between two kills: prime to everything, so that each request of the work is struck in some run."""


def test_kills(tmp_path: Path, service_database: str, capsys: pytest.CaptureFixture[str]) -> None:
    empty_database(service_database)
    endings: Counter[str] = Counter()
    places: Counter[str] = Counter()
    kills = 0
    with kill_lab(tmp_path, 2 + _KILLS // 4, service_database, processes=_PROCESSES) as lab:
        lab.serve(FIRST)
        expected = lab.state(FIRST)
        files = _files(lab)
        for number in itertools.count(FIRST + 1):
            if kills >= _KILLS:
                break
            struck = _serve(lab, number)
            kills += struck
            other = difference(expected, lab.state(number))
            endings["another end" if other else "the same end"] += 1
            records = struck - len(lab.switch.struck)
            places.update({**Counter(lab.switch.struck), "a record": records})
            with capsys.disabled():
                print(f"#{number}: {struck} kills, {records} at a record: {'ANOTHER END' if other else 'same'}")  # noqa: T201
                print(other, end="", flush=True)  # noqa: T201
        left = _files(lab) - files
    with capsys.disabled():
        rows = [("requests", str(dict(endings))), ("processor", f"{cpu():.0f} s"), ("left", str(sorted(left)))]
        show(f"{kills} kills, {_PROCESSES} processes", [*rows, *((name, str(count)) for name, count in places.items())])
    assert not endings["another end"]
    assert not left


def _serve(lab: KillLab, number: int) -> int:
    """Serve an original, which is killed at records, at effects or at all requests in turn."""
    turn = number - FIRST
    is_before, is_group = bool(turn & 2), bool(turn & 4)
    # A step that is killed each time it has made so many requests would never end: so at most so many kills.
    match turn % 3:
        case 0:
            first = 1 + turn // 3 % _EFFECTS
            plan = Strikes(
                first=first, stride=_EFFECTS, most=_MOST, only_effects=True, before=is_before, group=is_group
            )
        case 1:
            return lab.serve(number, fuses=_fuses(random.Random(number), is_before))  # noqa: S311
        case _:
            first = 1 + turn // 3 % _STRIDE
            plan = Strikes(first=first, stride=_STRIDE, most=_MOST, before=is_before, group=is_group)
    return lab.serve(number, plan=plan)


def _fuses(chance: random.Random, is_before: bool) -> Iterator[tuple[int, bool]]:
    for _ in range(_MOST):
        yield chance.randint(1, _RECORDS), is_before


def _files(lab: KillLab) -> set[str]:
    """Return what lies around, without objects, the refs that keep them, and evidence; names are without numbers.

    Of several processes, the first one may not have done everything that the others do: their folders count as one.
    """
    lab.start()
    folders = [lab.temporary, *lab.data]
    names = (str(path.relative_to(lab.temporary.parent)) for folder in folders for path in folder.rglob("*"))
    return {
        re.sub(r"backport-bot-\w+", "N", re.sub(r"^data\d/", "data/", name))
        for name in names
        if not re.search("/objects/|/evidence(/|$)|/fetched/[0-9a-f]{40}$", name)
    }
