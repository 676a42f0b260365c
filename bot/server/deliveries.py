"""Webhook deliveries in the database, so that an accepted one outlives a crash.

A delivery is recorded together with its job before GitHub gets its answer, and ends only when its work has ended. Work
may therefore run twice after a crash; every outside effect of the bot is find-or-create for that reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import assert_never

from psycopg import Connection
from pydantic import TypeAdapter

from bot.commands.triggers import ChangeTrigger, CommentTrigger, LabelTrigger, MergeTrigger, Trigger
from bot.server import turns
from bot.server.database import Database, Job
from bot.server.fence import Fence

SERVE, REQUESTS = "serve-delivery", "requests"
ACKNOWLEDGE, SIGNS = "acknowledge", "signs"
"""The names of the jobs of a delivery, each with its queue."""
# The name of a kind is stored.
_KINDS: dict[str, type[Trigger]] = {
    "comment": CommentTrigger,
    "label": LabelTrigger,
    "merge": MergeTrigger,
    "change": ChangeTrigger,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a delivery asks for. `name` is GitHub's X-GitHub-Delivery, `key` what its work is known by.

    `repository_id` is GitHub's number of the repository, if the delivery names one.
    """

    id: int
    name: str
    trigger: Trigger
    repository_id: int | None
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """A delivery that is not recorded yet; see `Delivery`."""

    name: str
    key: str
    trigger: Trigger
    repository_id: int | None = None


def pull_request_lock(repository: str, number: int) -> str:
    """Return the lock under which everything that one pull request asks for is served, one after another."""
    return json.dumps([repository.casefold(), number])


class Deliveries:
    """The recorded deliveries. It may be used from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def accept(self, delivery: NewDelivery) -> bool:
        """Record a delivery and its job; False if its work is known already. Work that failed is taken up again.

        Raises:
            psycopg.Error: nothing was recorded.
        """
        values = (
            delivery.key,
            delivery.name,
            _write_trigger(delivery.trigger),
            delivery.repository_id,
        )
        statement = """
            INSERT INTO backport_delivery AS known (key, name, trigger, repository_id) VALUES (%s, %s, %s, %s)
            ON CONFLICT (key) DO UPDATE SET
                name = excluded.name, trigger = excluded.trigger, received_at = now(), ended_at = NULL, problem = ''
                WHERE known.ended_at IS NOT NULL AND known.problem <> ''
            RETURNING id
        """
        with self._database.transaction() as connection:
            row = connection.execute(statement, values).fetchone()
            if row is None:
                return False
            self._defer(connection, row[0], delivery.trigger)
        return True

    def note_done(self, keys: Iterable[str]) -> None:
        """Note that work is done, so that it is not accepted again."""
        statement = "INSERT INTO backport_delivery (key, name, ended_at) VALUES (%s, '', now()) ON CONFLICT DO NOTHING"
        with self._database.transaction() as connection, connection.cursor() as cursor:
            cursor.executemany(statement, [(key,) for key in keys])

    def find_open(self, number: int) -> Delivery | None:
        """Return a delivery whose work has not ended; None if it has, or if there is none of this number."""
        statement = """
            SELECT id, name, trigger, repository_id, received_at FROM backport_delivery
            WHERE id = %s AND ended_at IS NULL
        """
        with self._database.transaction() as connection:
            row = connection.execute(statement, (number,)).fetchone()
        if row is None:
            return None
        return Delivery(id=row[0], name=row[1], trigger=_read_trigger(row[2]), repository_id=row[3], received_at=row[4])

    def fence(self, number: int) -> Fence:
        """Return what keeps a process that slept from serving a delivery beside the one that took it over."""
        return Fence(self._database, f"{SERVE} {number}")

    def end(self, number: int, problem: str = "") -> None:
        """Note that the work has ended. What failed keeps its trigger beside the `problem`; else only the key stays."""
        # A comment's text is of no use after the work.
        statement = """
            UPDATE backport_delivery
            SET ended_at = now(), problem = %(problem)s, trigger = CASE WHEN %(problem)s = '' THEN NULL ELSE trigger END
            WHERE id = %(id)s
        """
        with self._database.transaction() as connection:
            connection.execute(statement, {"id": number, "problem": problem})

    def defer_lost(self) -> None:
        """Defer a job for each delivery that has not ended and has none, as after a crash."""
        statement = """
            SELECT id, trigger FROM backport_delivery AS delivery
            WHERE ended_at IS NULL AND NOT EXISTS (
                SELECT FROM procrastinate_jobs
                WHERE task_name = %s AND status IN ('todo', 'doing') AND args ->> 'delivery' = delivery.id::text
            )
            ORDER BY id FOR UPDATE SKIP LOCKED
        """
        with self._database.transaction() as connection:
            for number, trigger in connection.execute(statement, (SERVE,)).fetchall():
                self._defer(connection, number, _read_trigger(trigger))

    def count_open(self) -> int:
        """Count the deliveries whose work has not ended."""
        with self._database.transaction() as connection:
            row = connection.execute("SELECT count(*) FROM backport_delivery WHERE ended_at IS NULL").fetchone()
        return row[0] if row else 0

    def problems(self) -> tuple[str, ...]:
        """Return what went wrong with the deliveries that failed, oldest first."""
        with self._database.transaction() as connection:
            rows = connection.execute(
                "SELECT problem FROM backport_delivery WHERE problem <> '' ORDER BY id"
            ).fetchall()
        return tuple(row[0] for row in rows)

    def _defer(self, connection: Connection, number: int, trigger: Trigger) -> None:
        serve, sign = f"{SERVE} {number}", f"{ACKNOWLEDGE} {number}"
        lock = pull_request_lock(trigger.repository, trigger.pull_request)
        priority = self._turn(connection, trigger.repository, lock)
        job = Job(task=SERVE, queue=REQUESTS, lock=lock, name=serve, priority=priority)
        self._database.defer(connection, job, delivery=number)
        if isinstance(trigger, CommentTrigger):
            job = Job(task=ACKNOWLEDGE, queue=SIGNS, lock=sign, name=sign, priority=priority)
            self._database.defer(connection, job, delivery=number)

    def _turn(self, connection: Connection, repository: str, lock: str) -> int:
        """Return the priority of a delivery, which is not above those of the same pull request that came before it."""
        statement = """
            SELECT count(*), min(priority) FILTER (WHERE lock = %(lock)s AND task_name = %(task)s)
            FROM procrastinate_jobs
            WHERE status = 'todo' AND queue_name = %(queue)s AND starts_with(lock, %(repository)s)
        """
        beginning = json.dumps([repository.casefold()]).removesuffix("]")
        values = {"lock": lock, "task": SERVE, "queue": REQUESTS, "repository": f"{beginning},"}
        waiting, lowest = connection.execute(statement, values).fetchone() or (0, None)
        own = turns.priority(waiting)
        return own if lowest is None else min(own, lowest)


def _write_trigger(trigger: Trigger) -> str:
    # ASCII, as PostgreSQL takes no NUL in a text.
    return json.dumps({"kind": _kind_of(trigger), **asdict(trigger)})


def _read_trigger(text: str) -> Trigger:
    fields = json.loads(text)
    return TypeAdapter(_KINDS[fields.pop("kind")]).validate_python(fields)


def _kind_of(trigger: Trigger) -> str:
    match trigger:
        case CommentTrigger():
            return "comment"
        case LabelTrigger():
            return "label"
        case MergeTrigger():
            return "merge"
        case ChangeTrigger():
            return "change"
        case _:
            assert_never(trigger)
