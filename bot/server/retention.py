"""Deletes once a day what is kept for no longer: runs, their logs and objects, and what deliveries were known by."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import LiteralString

from bot.server.database import Database, Job
from bot.server.worker import Task

log = logging.getLogger(__name__)

_TASK, _QUEUE = "drop-old", "upkeep"
_DAILY = "17 3 * * *"
_BATCH = 500
"""Rows of one transaction: others wait no longer for it than for any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """For how long things are kept: `runs` with their outcome, the `details` of a run that has ended, `deliveries`.

    Details are the log, the difference and the objects of the candidate. GitHub sends a delivery again for three days:
    https://docs.github.com/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks
    """

    runs: timedelta = timedelta(days=180)
    details: timedelta = timedelta(days=30)
    deliveries: timedelta = timedelta(days=30)


DEFAULT_RETENTION = Retention()
# What each statement deletes, with the age and the size of a batch as parameters. An open request that is so old waits
# for something that does not come, e.g. for a repository that is gone.
_STATEMENTS: tuple[tuple[str, str, LiteralString], ...] = (
    (
        "requests",
        "runs",
        """
        DELETE FROM backport_request WHERE id IN (
            SELECT id FROM backport_request WHERE coalesce(ended_at, recorded_at) < now() - %s ORDER BY id LIMIT %s
        )
        """,
    ),
    (
        "candidates",
        "details",
        """
        UPDATE backport_run SET objects = NULL, difference = NULL WHERE id IN (
            SELECT run.id FROM backport_run AS run JOIN backport_request AS request ON request.id = run.request
            WHERE request.ended_at < now() - %s AND (run.objects IS NOT NULL OR run.difference IS NOT NULL)
            ORDER BY run.id LIMIT %s
        )
        """,
    ),
    (
        "log lines",
        "details",
        """
        DELETE FROM backport_log WHERE id IN (
            SELECT id FROM backport_log WHERE written_at < now() - %s ORDER BY id LIMIT %s
        )
        """,
    ),
    (
        "deliveries",
        "deliveries",
        """
        DELETE FROM backport_delivery WHERE id IN (
            SELECT id FROM backport_delivery WHERE ended_at < now() - %s ORDER BY id LIMIT %s
        )
        """,
    ),
)
# A number is of use as long as somebody may hold an older one.
_FENCES: LiteralString = """
    DELETE FROM backport_fence AS fence WHERE
        thing ~ '^run [0-9]+$' AND NOT EXISTS (
            SELECT FROM backport_run WHERE id = substring(fence.thing FROM 5)::bigint
        )
        OR thing ~ '^show-request [0-9]+$' AND NOT EXISTS (
            SELECT FROM backport_request WHERE id = substring(fence.thing FROM 14)::bigint
        )
        OR thing ~ '^serve-delivery [0-9]+$' AND NOT EXISTS (
            SELECT FROM backport_delivery WHERE id = substring(fence.thing FROM 16)::bigint
        )
"""


class Keeper:
    """Keeps the tables from growing for ever."""

    def __init__(self, database: Database, retention: Retention) -> None:
        self._database, self._retention = database, retention

    def tasks(self) -> tuple[Task, ...]:
        """Return what the worker is to do."""
        return (Task(_TASK, self._drop, cron=_DAILY, queue=_QUEUE),)

    def defer(self) -> None:
        """Let the worker begin at once: a service that is started each night would never come to it."""
        with self._database.transaction() as connection:
            self._database.defer(connection, Job(task=_TASK, queue=_QUEUE, lock=_TASK, name=_TASK))

    def drop_old(self) -> dict[str, int]:
        """Delete what is too old, in batches; return how many rows of each kind that were."""
        counts = {
            kind: self._in_batches(statement, getattr(self._retention, name)) for kind, name, statement in _STATEMENTS
        }
        with self._database.transaction() as connection:
            connection.execute(_FENCES)
        return counts

    def _drop(self, _attempts: int, *, timestamp: int = 0) -> None:
        del timestamp
        counts = {kind.replace(" ", "_"): count for kind, count in self.drop_old().items() if count}
        if counts:
            log.info("Old rows were deleted.", extra=counts)

    def _in_batches(self, statement: LiteralString, age: timedelta) -> int:
        total = 0
        while True:
            with self._database.transaction() as connection:
                count = connection.execute(statement, (age, _BATCH)).rowcount
            total += count
            if count < _BATCH:
                return total
