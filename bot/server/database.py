"""The connections to PostgreSQL, and the jobs that are deferred in the same transaction as what they are about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from procrastinate import App, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from psycopg import Connection
from psycopg_pool import ConnectionPool

from bot.errors import ConfigError, StoreUnavailable
from bot.server.schema import migrate

_CONNECTIONS = 16
_SECONDS = 10.0
"""How long a caller waits for a connection: GitHub waits as long for the answer to a delivery."""
_LONGEST_PAUSE = 20.0
"""Seconds that a transaction may do nothing. That of a process which sleeps would hold up all others."""


@contextmanager
def recording() -> Iterator[None]:
    """Turn a refusal or the silence of the database into StoreUnavailable: it says nothing about the step in hand."""
    try:
        yield
    except psycopg.Error as error:
        raise StoreUnavailable(
            f"The database does not answer or refuses ({type(error).__name__}), so nothing was recorded.",
            hint="Look at the database and its disk; the step is taken again.",
        ) from error


def pause_limit() -> tuple[LiteralString, tuple[str]]:
    """Return the statement that lets the server end a transaction which does nothing for long, and its value.

    https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-IDLE-IN-TRANSACTION-SESSION-TIMEOUT
    """
    milliseconds = str(int(1000 * _LONGEST_PAUSE))
    return "SELECT set_config('idle_in_transaction_session_timeout', %s, false)", (milliseconds,)


def _limit_pauses(connection: Connection) -> None:
    connection.execute(*pause_limit())
    connection.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job to defer. `lock` is held by one running job; of those that wait, `name` is the name of one.

    A job of a higher `priority` is taken first. `at` is the earliest moment; None means at once.
    """

    task: str
    queue: str
    lock: str
    name: str
    priority: int = 0
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFigures:
    """`jobs`: queue, state, number. `oldest_jobs`: queue, seconds. `oldest_delivery`: seconds; 0 if none is open.

    `mirrors`: repository, bytes.
    """

    jobs: list[tuple[str, str, int]]
    oldest_jobs: list[tuple[str, float]]
    oldest_delivery: float
    mirrors: list[tuple[str, int]]


class Database:
    """A pool of connections. It may be used from several threads."""

    def __init__(self, conninfo: str) -> None:
        """Connect, and bring the tables to this version.

        Raises:
            ConfigError: the database cannot be used.
        """
        self.conninfo = conninfo
        # Jobs are deferred on the caller's connection, so this needs none of its own.
        self._queue = App(connector=SyncPsycopgConnector())
        try:
            with psycopg.connect(conninfo, autocommit=True) as connection:
                migrate(connection)
        except psycopg.Error as error:
            raise ConfigError(
                f"The database cannot be used ({str(error).strip()}), so nothing was started.",
                hint="Check the address that --database gives, and that its account may make tables.",
            ) from error
        self._pool = ConnectionPool(
            conninfo,
            min_size=1,
            max_size=_CONNECTIONS,
            timeout=_SECONDS,
            # A connection that the server has closed meanwhile is replaced before anybody gets it.
            check=ConnectionPool.check_connection,
            configure=_limit_pauses,
            open=True,
        )

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection in a transaction, which is committed unless the block raises.

        Raises:
            psycopg.Error: the database does not answer, or refused; nothing was changed.
        """
        with self._pool.connection() as connection:
            yield connection

    def count_jobs(self) -> int:
        """Count the jobs that run, and those that wait and are due."""
        statement = """
            SELECT count(*) FROM procrastinate_jobs
            WHERE status = 'doing' OR status = 'todo' AND coalesce(scheduled_at <= now(), true)
        """
        with self.transaction() as connection:
            row = connection.execute(statement).fetchone()
        return row[0] if row else 0

    def queue_figures(self) -> QueueFigures:
        """Return how many jobs there are, and how long they wait."""
        jobs = "SELECT queue_name, status::text, count(*) FROM procrastinate_jobs GROUP BY 1, 2 ORDER BY 1, 2"
        mirrors = """
            SELECT known.name, mirror_bytes
            FROM backport_survey JOIN backport_repository AS known ON known.id = repository
            WHERE known.served AND mirror_bytes IS NOT NULL
        """
        # A job is due when it was deferred, or at its moment.
        oldest = """
            SELECT queue_name, extract(epoch FROM now() - min(greatest(event.at, job.scheduled_at)))::float8
            FROM procrastinate_jobs AS job
            JOIN procrastinate_events AS event ON event.job_id = job.id AND event.type = 'deferred'
            WHERE job.status = 'todo' AND coalesce(job.scheduled_at <= now(), true) GROUP BY 1
        """
        age = """
            SELECT coalesce(extract(epoch FROM now() - min(received_at)), 0)::float8
            FROM backport_delivery WHERE ended_at IS NULL
        """
        with self.transaction() as connection:
            row = connection.execute(age).fetchone()
            return QueueFigures(
                jobs=connection.execute(jobs).fetchall(),
                oldest_jobs=connection.execute(oldest).fetchall(),
                oldest_delivery=row[0] if row else 0.0,
                mirrors=connection.execute(mirrors).fetchall(),
            )

    def keep_fact(self, name: str, value: str) -> None:
        """Keep a text under a name, in place of the earlier one."""
        statement = """
            INSERT INTO backport_fact VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value
        """
        with self.transaction() as connection:
            connection.execute(statement, (name, value))

    def fact(self, name: str) -> str | None:
        """Return the text that was kept under a name."""
        with self.transaction() as connection:
            row = connection.execute("SELECT value FROM backport_fact WHERE name = %s", (name,)).fetchone()
        return row[0] if row else None

    def facts(self, prefix: str) -> dict[str, str]:
        """Return the texts whose names begin with a prefix, by their names."""
        with self.transaction() as connection:
            rows = connection.execute("SELECT name, value FROM backport_fact WHERE starts_with(name, %s)", (prefix,))
            return dict(rows.fetchall())

    def defer(self, connection: Connection, job: Job, **arguments: Any) -> bool:  # noqa: ANN401 - JSON
        """Defer a job when the connection's transaction is committed; False if one of its name waits already."""
        deferrer = self._queue.configure_task(
            job.task,
            queue=job.queue,
            lock=job.lock,
            queueing_lock=job.name,
            priority=job.priority,
            schedule_at=job.at,
            connection=connection,
        )
        try:
            with connection.transaction():  # a savepoint: a refusal does not end the caller's transaction
                deferrer.defer(**arguments)
        except AlreadyEnqueued:
            return False
        except ConnectorException as error:
            raise error.__cause__ or error from None
        return True
