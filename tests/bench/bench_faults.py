"""A GitHub that fails at random: a tenth of the service's calls by REST, GraphQL and git, some after their effect.

BENCH_FAULTS=500 .venv/bin/python -m pytest tests/bench/bench_faults.py -p no:xdist -o timeout=0 -s
"""

from __future__ import annotations

import json
import os
import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from tests.bench.conftest import cpu, show
from tests.conftest import empty_database
from tests.server.kill_lab import KillLab, kill_lab
from tests.server.lab_history import FIRST, TARGETS
from tests.server.lab_state import State, difference

_REQUESTS = int(os.environ.get("BENCH_FAULTS", "500"))
_AT_ONCE = 20
_RATE = 0.1
_FAULTS = (500, 502, 504, "reset", 403, "500 after the effect", "reset after the effect")


@dataclass
class RandomFaults:
    """An ASGI layer below which some calls of the bot fail, each once."""

    lab: KillLab
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - the same in each run
    calls: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    active: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        authorization = dict(scope.get("headers", ())).get(b"authorization", b"").decode()
        if not self.active or scope["type"] != "http" or self.lab.switch.process_of(authorization) is None:
            await self.lab.switch(scope, receive, send)
            return
        self.calls += 1
        if self.chance.random() >= _RATE:
            await self.lab.switch(scope, receive, send)
            return
        fault = self.chance.choice(_FAULTS)
        self.faults[str(fault)] += 1
        if str(fault).endswith("effect"):
            await self.lab.switch(scope, receive, _discard)
        if str(fault).startswith("reset"):
            self.lab.fake_github._fault_injector._connections.reset(tuple(scope["client"]))
            return
        status = fault if isinstance(fault, int) else 500
        body = {"message": "You have exceeded a secondary rate limit." if status == 403 else "Server Error"}
        answer = Response(json.dumps(body), status, {"retry-after": "1"} if status == 403 else {}, "application/json")
        await answer(scope, receive, send)


async def _discard(_message: Message) -> None:
    return


def test_faults(tmp_path: Path, service_database: str, capsys: pytest.CaptureFixture[str]) -> None:
    empty_database(service_database)
    with kill_lab(tmp_path, 1 + _REQUESTS, service_database) as lab:
        faults = RandomFaults(lab)
        lab.fake_github._fault_injector._app = faults
        lab.serve(FIRST, TARGETS[:1])
        expected = lab.state(FIRST)
        faults.active = True
        endings: Counter[str] = Counter()
        for begin in range(FIRST + 1, FIRST + 1 + _REQUESTS, _AT_ONCE):
            numbers = range(begin, min(begin + _AT_ONCE, FIRST + 1 + _REQUESTS))
            for number in numbers:
                lab.ask(number, TARGETS[:1])
            while not lab.is_idle():
                threading.Event().wait(0.1)
            for number in numbers:
                state = lab.state(number)
                ending = _ending(expected, state)
                endings[ending] += 1
                if ending not in ("whole", "failed and told"):
                    with capsys.disabled():
                        print(f"#{number}: {ending}\n{difference(expected, state)}")  # noqa: T201
            with capsys.disabled():
                print(dict(endings), faults.calls, sum(faults.faults.values()), flush=True)  # noqa: T201
    rows = [("calls", str(faults.calls)), *((name, str(count)) for name, count in faults.faults.items())]
    with capsys.disabled():
        show(f"{_REQUESTS} requests: {dict(endings)}, {cpu():.0f} s of processor", rows)
    assert not set(endings) - {"whole", "failed and told"}


def _ending(expected: State, state: State) -> str:
    if not difference(expected, state):
        return "whole"
    if not state["comments"]:
        return "no answer"
    if max(map(len, state["backports"].values())) > 1 or len(state["comments"]) > 1:
        return "doubled"
    return "failed and told" if "failed" in state["comments"][0] else "not complete"
