"""The service is killed once in each request for four branches: before and after every request that it makes.

.venv/bin/python -m pytest tests/bench/bench_kills.py -p no:xdist -o timeout=0 -s
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import empty_database
from tests.server.kill_lab import FIRST, kill_lab

_KILLS = int(os.environ.get("BENCH_KILLS", "500"))
_STRIDE = int(os.environ.get("BENCH_KILLS_STRIDE", "1"))
"""A kill at each request, or at every second one, and so on."""


def test_kills(tmp_path: Path, service_database: str, capsys: pytest.CaptureFixture[str]) -> None:
    empty_database(service_database)
    endings: Counter[str] = Counter()
    with kill_lab(tmp_path, 1 + _KILLS, service_database) as lab:
        lab.serve(FIRST, at=None)
        expected = lab.state(FIRST)
        at, before = 1, True
        for number in range(FIRST + 1, FIRST + 1 + _KILLS):
            struck = lab.serve(number, at=at, before=before)
            same = lab.state(number) == expected
            endings["not struck" if not struck else "the same end" if same else "another end"] += 1
            with capsys.disabled():
                print(f"#{number}: request {at}, {struck or 'none'}: {'the same' if same else 'ANOTHER END'}")  # noqa: T201
            at, before = (at, False) if before else (at + _STRIDE if struck else 1, True)
    with capsys.disabled():
        print(dict(endings))  # noqa: T201
    assert not endings["another end"]
