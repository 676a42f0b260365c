"""The webhook endpoint gets deliveries: a fifth twice, shuffled, one in a hundred a command.

BENCH_DELIVERIES=10000 .venv/bin/python -m pytest tests/bench/bench_deliveries.py -p no:xdist -o timeout=0 -s
"""

from __future__ import annotations

import json
import os
import random
import statistics
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from bot.server.webhooks import signature_of
from tests.bench.conftest import show
from tests.conftest import empty_database
from tests.server.kill_lab import MAINTAINER, REPOSITORY, SECRET, KillLab, Strikes, kill_lab
from tests.server.lab_history import FIRST, TARGETS

_DELIVERIES = int(os.environ.get("BENCH_DELIVERIES", "10000"))
_SENDERS = int(os.environ.get("BENCH_SENDERS", "4"))
_COMMANDS = _DELIVERIES // 100
_PADDING = "x" * 14_000
"""A comment's delivery of GitHub has about 15 kB."""


def test_deliveries(tmp_path: Path, service_database: str, capsys: pytest.CaptureFixture[str]) -> None:
    empty_database(service_database)
    with kill_lab(tmp_path, 1 + _COMMANDS, service_database) as lab:
        lab.serve(FIRST, TARGETS[:1])
        lab.switch.arm(Strikes(first=0))
        sender = _Sender(lab)
        begin, memory = time.monotonic(), _memory(lab)
        used = _processor(lab)
        with ThreadPoolExecutor(_SENDERS) as pool:
            list(pool.map(sender.send, _shuffled(lab)))
        seconds, received = time.monotonic() - begin, _processor(lab) - used
        later = _memory(lab)
        while not lab.is_idle():
            threading.Event().wait(0.2)
        eyes = [_seconds_to_eyes(lab, comment, asked) for comment, asked in sender.asked.items()]
        counts = Counter(
            len(lab.state(number)["backports"][TARGETS[0]]) for number in range(FIRST, FIRST + 1 + _COMMANDS)
        )
    times = sorted(1000 * duration for duration in sender.times)
    rows = [
        ("answers", str(dict(sender.answers))),
        ("sent in", f"{seconds:.0f} s by {_SENDERS} senders, load {os.getloadavg()[0]:.1f}"),
        ("answer", f"p50 {statistics.median(times):.0f} ms, p99 {times[len(times) * 99 // 100]:.0f} ms"),
        ("processor of the service meanwhile", f"{1000 * received / len(times):.1f} ms a delivery, its work included"),
        ("memory", f"{memory:.0f} MB before, {later:.0f} MB after the last answer"),
        ("commands", f"{len(eyes)}; backports of an original: {dict(counts)}"),
        ("👀 after (GitHub's whole seconds)", f"p50 {statistics.median(eyes):.0f} s, at most {max(eyes):.0f} s"),
    ]
    with capsys.disabled():
        show(f"{len(times)} deliveries", rows)
    assert counts == {1: 1 + _COMMANDS}
    assert set(sender.answers) <= {200, 202}
    assert sender.answers[202] == _COMMANDS


class _Sender:
    """Sends deliveries as GitHub does, and notes how they were answered and when a command was sent first."""

    def __init__(self, lab: KillLab) -> None:
        self._url = f"http://127.0.0.1:{lab.processes[0].port}/webhook"
        self._sessions = threading.local()
        self.times: list[float] = []
        self.answers: Counter[int] = Counter()
        self.asked: dict[int, float] = {}

    def send(self, delivery: dict[str, Any]) -> None:
        raw = json.dumps(delivery["payload"]).encode()
        headers = {"X-GitHub-Delivery": delivery["name"], "X-GitHub-Event": "issue_comment"}
        headers["X-Hub-Signature-256"] = signature_of(SECRET, raw)
        if not hasattr(self._sessions, "session"):
            self._sessions.session = requests.Session()
        if delivery["command"]:
            self.asked.setdefault(delivery["payload"]["comment"]["id"], time.time())
        begin = time.monotonic()
        answer = self._sessions.session.post(self._url, data=raw, headers=headers, timeout=120)
        self.times.append(time.monotonic() - begin)
        self.answers[answer.status_code] += 1


def _shuffled(lab: KillLab) -> list[dict[str, Any]]:
    chance = random.Random(1)  # noqa: S311 - the same in each run
    once = _DELIVERIES * 5 // 6  # a fifth of them comes twice
    deliveries = []
    for number in range(once):
        is_command = number < _COMMANDS
        body = f"/backport {TARGETS[0]}" if is_command else f"It fails here as well. {number}"
        pull = FIRST + 1 + number if is_command else FIRST
        comment = 1_000_000 + number
        if is_command:
            comment = lab.api("POST", f"/issues/{pull}/comments", json={"body": body})["id"]
        deliveries.append(
            {"name": f"delivery-{number}", "command": is_command, "payload": _payload(pull, comment, body)}
        )
    again = chance.sample(deliveries, _DELIVERIES - once)
    chance.shuffle(deliveries := [*deliveries, *again])
    return deliveries


def _payload(pull: int, comment: int, body: str) -> dict[str, Any]:
    return {
        "action": "created",
        "repository": {"full_name": REPOSITORY},
        "issue": {"number": pull, "pull_request": {"url": "x"}, "body": _PADDING},
        "comment": {"id": comment, "user": {"login": MAINTAINER, "type": "User"}, "body": body},
    }


def _seconds_to_eyes(lab: KillLab, comment: int, asked: float) -> float:
    (eyes,) = [
        reaction
        for reaction in lab.api("GET", f"/issues/comments/{comment}/reactions")
        if reaction["content"] == "eyes"
    ]
    moment = time.mktime(time.strptime(eyes["created_at"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    return max(0.0, moment - int(asked))


def _memory(lab: KillLab) -> float:
    """Return the megabytes that the service has in memory."""
    text = Path(f"/proc/{lab.processes[0].number}/status").read_text(encoding="ascii")
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024


def _processor(lab: KillLab) -> float:
    """Return the processor seconds of the service itself, without git and suites."""
    fields = Path(f"/proc/{lab.processes[0].number}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
