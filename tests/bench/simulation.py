"""Runs the real queue of the service with a clock of its own: what waits, and for how long, without waiting for it.

Real: PostgreSQL, procrastinate's choice of the next job, `Deliveries`, `Requests` (order, priorities, locks, what is
possible next), how many jobs of each queue run at a time, and the pauses between writes (`WritePace`). Simulated: the
time, and what a job does. It takes the seconds of `COSTS` and of its pauses, and asks GitHub as often as they say.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.commands.triggers import CommentTrigger
from bot.models import Target
from bot.pipeline.run import Step
from bot.server import turns
from bot.server.database import Database
from bot.server.deliveries import ACKNOWLEDGE, REQUESTS, SERVE, SIGNS, Deliveries, NewDelivery
from bot.server.pace import WritePace
from bot.server.proof_queues import LOCAL
from bot.server.request_rows import COMMENTS, SHOW, STEPS
from bot.server.requests import Requests
from tests.pipeline.test_request import _request


@dataclass(frozen=True, slots=True)
class Cost:
    """What a job costs: seconds without pauses, requests to GitHub's API, how many of them write, and write a text."""

    seconds: float
    requests: int = 0
    writes: int = 0
    texts: int = 0


# A backport to one branch asks 13 times and writes 8 times: docs/measurements.md, "What a backport asks of GitHub".
COSTS: Mapping[str, Cost] = {
    ACKNOWLEDGE: Cost(0.3, 1, 1),
    SERVE: Cost(1.5, 4, 1, 1),
    "pick": Cost(3.0),
    "publish": Cost(3.0, 6, 4, 1),
    SHOW: Cost(0.3, 0),
    "last show": Cost(0.8, 2, 2),
}
_MIDNIGHT = 1_800_000_000.0
"""Seconds since the epoch at which the clock begins."""
QUEUES = {REQUESTS: 2, SIGNS: 1, STEPS: 3, COMMENTS: 2}
"""How many jobs of a queue one process runs at the same time: `bot/server/service.py`."""


@dataclass
class Ask:
    """A comment that asks for backports, and what became of it: seconds from the beginning."""

    repository: str
    targets: tuple[str, ...]
    at: float
    seen: float = -1.0
    ended: float = -1.0


@dataclass
class Simulation:
    """The queue, its clock (seconds), and what was observed. `proofs` is how many run at the same time."""

    database: Database
    folder: Path
    proof_seconds: float
    proofs: int = 1
    clock: float = 0.0
    asks: dict[int, Ask] = field(default_factory=dict)
    published: list[tuple[float, str]] = field(default_factory=list)
    spent: Counter[str] = field(default_factory=Counter)
    busy: Counter[str] = field(default_factory=Counter)
    proof_waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Put its parts together."""
        turns.seconds = lambda: _MIDNIGHT + self.clock
        self._deliveries, self._requests = Deliveries(self.database), Requests(self.database)
        self._free = {**QUEUES, LOCAL: self.proofs}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._pace = WritePace(self.folder / "pace.json")
        self._comments: dict[int, int] = {}
        self._waiting_since: dict[int, float] = {}
        with self.database.transaction() as connection:
            row = connection.execute("SELECT worker_id FROM procrastinate_register_worker_v1()").fetchone()
        assert row is not None
        self._worker = row[0]

    def ask(self, comment: int, ask: Ask) -> None:
        """Let a comment be written at its moment."""
        self.asks[comment] = ask
        self._at(ask.at, lambda: self._receive(comment))

    def run(self, until: float = float("inf")) -> None:
        """Let everything happen until nothing is left, or until a moment."""
        while self._events and self._events[0][0] <= until:
            self.clock, _, event = heapq.heappop(self._events)
            event()
            # What happens at one moment happens before anything is taken.
            if not self._events or self._events[0][0] > self.clock:
                self._take_jobs()

    def _at(self, moment: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._numbers), event))

    def _receive(self, comment: int) -> None:
        ask = self.asks[comment]
        trigger = CommentTrigger(
            repository=ask.repository, pull_request=comment, comment_id=comment, author="mia",
            body=f"/backport {' '.join(ask.targets)}",
        )  # fmt: skip
        self._deliveries.accept(NewDelivery(name=str(comment), key=str(comment), trigger=trigger))

    def _take_jobs(self) -> None:
        for queue in self._free:
            while self._free[queue] > 0 and self._take_job(queue):
                self._free[queue] -= 1

    def _take_job(self, queue: str) -> bool:
        with self.database.transaction() as connection:
            row = connection.execute(
                "SELECT id, task_name, args FROM procrastinate_fetch_job_v2(%s::varchar[], %s)", ([queue], self._worker)
            ).fetchone()
        if row is None or row[0] is None:
            return False
        number, task, arguments = row
        cost = self._cost(task, arguments)
        began_at = self.clock

        def end() -> None:
            self.busy[queue] += int(self.clock - began_at)
            self._end(queue, number, task, arguments)

        self.spent.update(requests=cost.requests, writes=cost.writes)
        self._at(self.clock + cost.seconds, lambda: self._write(cost.writes, cost.texts, end))
        return True

    def _write(self, writes: int, texts: int, then: Callable[[], None]) -> None:
        """Write so many times, texts first, each after the pause that its account owes GitHub."""
        if not writes:
            then()
            return
        pause = self._pace.reserve(self.clock, texts > 0)
        self._at(self.clock + pause, lambda: self._write(writes - 1, texts - 1, then))

    def _cost(self, task: str, arguments: Mapping[str, Any]) -> Cost:
        if task == SHOW:
            _, runs = self._requests.load(arguments["request"])
            return COSTS["last show" if all(run.step is None for run in runs) else SHOW]
        if arguments.get("step") == Step.PROVE.value:
            self.proof_waits.append(self.clock - self._waiting_since.pop(arguments["run"]))
            return Cost(self.proof_seconds)
        return COSTS[arguments.get("step", task)]

    def _end(self, queue: str, number: int, task: str, arguments: Mapping[str, Any]) -> None:
        if task == ACKNOWLEDGE:
            self._note_seen(arguments["delivery"])
        elif task == SERVE:
            self._serve(arguments["delivery"])
        elif task == SHOW:
            self._show(arguments["request"])
        else:
            self._take_step(arguments)
        with self.database.transaction() as connection:
            connection.execute("SELECT procrastinate_finish_job_v1(%s, 'succeeded', true)", (number,))
        self._free[queue] += 1

    def _note_seen(self, delivery: int) -> None:
        record = self._deliveries.find_open(delivery)
        if record is not None and isinstance(record.trigger, CommentTrigger):
            self.asks[record.trigger.comment_id].seen = self.clock

    def _serve(self, delivery: int) -> None:
        record = self._deliveries.find_open(delivery)
        assert record is not None
        assert isinstance(record.trigger, CommentTrigger)
        comment = record.trigger.comment_id
        ask = self.asks[comment]
        if ask.seen < 0:
            ask.seen = self.clock  # serving reacts first
        request = _request(record.trigger.body, key=f"comment-{comment}-0")
        order = [Target.parse(target) for target in ask.targets]
        number = self._requests.record(request, ask.repository, 1, ask.targets, order, ())
        self._comments[number] = comment
        self._requests.begin(number, refused=False)
        self._deliveries.end(delivery)

    def _take_step(self, arguments: Mapping[str, Any]) -> None:
        run = self._requests.find_run(arguments["run"])
        assert run is not None
        following = {Step.PICK.value: Step.PROVE, Step.PROVE.value: Step.PUBLISH}.get(arguments["step"])
        if following is Step.PROVE:
            self._waiting_since[run.id] = self.clock
        if following is None:
            self.published.append((self.clock, arguments["repository"]))
        with self.database.transaction() as connection:
            self._requests.advance(connection, run, following, {"prove_queue": LOCAL})

    def _show(self, request: int) -> None:
        _, runs = self._requests.load(request)
        with self.database.transaction() as connection:
            self._requests.note_shown(connection, request, [run.target for run in runs if run.step is None])
            if all(run.step is None for run in runs):
                self._requests.end(connection, request)
                self.asks[self._comments[request]].ended = self.clock
