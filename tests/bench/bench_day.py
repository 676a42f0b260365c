"""The queue of the service on a day, and under 20 repositories x 50 commands; see `simulation` for what is real.

.venv/bin/python -m pytest tests/bench/bench_day.py -p no:xdist -o timeout=0 -s
"""

from __future__ import annotations

import os
import random
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.server.database import Database
from tests.bench.conftest import cpu, show
from tests.bench.simulation import Ask, Simulation

_DAY = 24 * 3600.0
_PROOF = 15 * 60.0
_REPOSITORIES, _PULL_REQUESTS, _DEVICES = 200, int(os.environ.get("BENCH_DAY_PULL_REQUESTS", "2000")), 4
_EACH = int(os.environ.get("BENCH_BURST_EACH", "50"))


@pytest.mark.parametrize("share", [0.1, 0.2], ids=["a tenth asks", "a fifth asks"])
def test_day(database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], share: float) -> None:
    database, chance = Database(database_url), random.Random(1)  # noqa: S311 - the same in each run
    simulation = Simulation(database, tmp_path, _PROOF, proofs=_DEVICES)
    for number in range(int(_PULL_REQUESTS * share)):
        # Two thirds of a day's pull requests are merged in its ten busy hours.
        hour = chance.uniform(8, 18) if chance.random() < 2 / 3 else chance.uniform(0, 24)
        targets = [f"release/{branch}" for branch in range(chance.choice((1, 1, 2)))]
        repository = f"acme/project{chance.randrange(_REPOSITORIES)}"
        simulation.ask(1000 + number, Ask(repository, tuple(targets), hour * 3600))
    simulation.run()
    asks = list(simulation.asks.values())
    proofs = len(simulation.proof_waits)
    rows = [
        ("asked for", f"{len(asks)} of {_PULL_REQUESTS} pull requests, {proofs} backports"),
        ("devices", f"busy {100 * simulation.busy['local-proofs'] / (_DEVICES * _DAY):.0f} % of a day"),
        ("the last backport ended at", f"{simulation.clock / 3600:.1f} h"),
        ("wait for a device", _spread(simulation.proof_waits, 60, "min")),
        ("👀 after", _spread([ask.seen - ask.at for ask in asks], 1, "s")),
        ("a request took", _spread([ask.ended - ask.at for ask in asks], 60, "min")),
        ("asked of GitHub", f"{simulation.spent['requests']} requests, {simulation.spent['writes']} of them writes"),
        ("processor", f"{cpu():.0f} s"),
    ]
    with capsys.disabled():
        show("a day", rows)
    database.close()
    assert all(ask.ended >= 0 for ask in asks)
    assert proofs == len(simulation.published) == sum(len(ask.targets) for ask in asks)


def test_burst(database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = Database(database_url)
    simulation = Simulation(database, tmp_path, 1.0, proofs=4)
    repositories = [f"acme/project{number}" for number in range(20)]
    # One repository after another asks for all it wants; the last one is alone in being late.
    for number, repository in enumerate(repositories):
        for command in range(_EACH):
            simulation.ask(1000 * number + command, Ask(repository, (f"release/{command % 5}",), number / 10))
    simulation.run()
    order = [repository for _, repository in simulation.published]
    first = {repository: order.index(repository) for repository in repositories}
    minutes = simulation.published[-1][0] / 60
    half = Counter(order[: len(order) // 2])
    rows = [
        ("published", f"{len(order)} in {minutes:.0f} min: {len(order) / minutes:.1f} a minute"),
        ("a minute, the first 5 min", f"{sum(moment <= 300 for moment, _ in simulation.published) / 5:.1f}"),
        ("before the first one of a repository", f"{sorted(first.values())}"),
        ("of the first half, by repository", f"{min(half.values())} to {max(half.values())}"),
        ("👀 after", _spread([ask.seen - ask.at for ask in simulation.asks.values()], 1, "s")),
        ("asked of GitHub", f"{simulation.spent['requests']} requests, {simulation.spent['writes']} of them writes"),
        ("processor", f"{cpu():.0f} s"),
    ]
    with capsys.disabled():
        show(f"{len(repositories)} repositories x {_EACH} commands", rows)
    database.close()
    assert len(order) == len(repositories) * _EACH


def _spread(seconds: Sequence[float], unit: float, name: str) -> str:
    values = sorted(seconds)
    p95 = values[len(values) * 95 // 100]
    return f"p50 {statistics.median(values) / unit:.1f}, p95 {p95 / unit:.1f}, at most {values[-1] / unit:.1f} {name}"
