"""What the pages read of requests, their target branches and their jobs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import class_row, dict_row

from bot.pipeline.request import BackportRequest
from bot.server.database import Database
from bot.server.pages.access import KnownRepository
from bot.server.request_rows import TAKE_STEP

_OPEN, _ENDED = 100, 30
"""Requests on one page."""
_LINES = 500
"""Lines of a log on one page, the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """A target branch as lists show it. `job` is None if no job of it runs or waits.

    `since` is when its present step became possible, or when the branch ended.
    """

    id: int
    request: int
    target: str
    step: str | None
    rounds: int
    since: datetime
    ending: str | None
    proof: str | None
    opened: int | None
    job: JobState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """The job of a step. `place` is its place among the `waiting` ones of its queue; `at` is when it is due."""

    run: int
    is_running: bool
    queue: str
    place: int
    waiting: int
    at: datetime | None
    began_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestState:
    """A request as lists show it, with its target branches."""

    id: int
    repository: str
    repository_id: int | None
    number: int
    title: str
    url: str
    command: str
    requester: str
    recorded_at: datetime
    ended_at: datetime | None
    runs: Sequence[RunState] = ()

    @property
    def known_repository(self) -> KnownRepository:
        """The repository that decides who may see it."""
        return KnownRepository(id=self.repository_id, name=self.repository)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The last run for an original on a branch. `step` is None if it has ended, at `since`."""

    id: int
    original: int
    target: str
    step: str | None
    since: datetime
    ending: str | None
    proof: str | None
    opened: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line of a run's log."""

    id: int
    written_at: datetime
    step: str
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """All that is recorded of a target branch; what a step has not left yet is None. The texts are JSON."""

    decision: str | None
    pick: str | None
    verdict: str | None
    difference: str | None


_SELECT_REQUESTS: LiteralString = (
    "SELECT id, repository, body, recorded_at, ended_at, repository_id FROM backport_request"
)
_SELECT_RUNS: LiteralString = """
    SELECT id, request, target, step, rounds, since, ending, proof, opened FROM backport_run
"""
_SELECT_JOBS: LiteralString = """
    SELECT run, status = 'doing' AS is_running, queue_name AS queue, place, waiting, scheduled_at AS at,
        (SELECT max(event.at) FROM procrastinate_events AS event WHERE job_id = job.id AND type = 'started') AS began_at
    FROM (
        SELECT id, (args ->> 'run')::bigint AS run, status, queue_name, scheduled_at,
            row_number() OVER (turn ORDER BY priority DESC, id) AS place, count(*) OVER turn AS waiting
        FROM procrastinate_jobs
        WHERE task_name = %s AND status IN ('todo', 'doing')
        WINDOW turn AS (PARTITION BY queue_name, status, coalesce(scheduled_at > now(), false))
    ) AS job
    WHERE run = ANY(%s) ORDER BY status DESC
"""


class RunQueries:
    """Reads the requests. It may be used from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def repositories(self) -> list[KnownRepository]:
        """Return the repositories that are served, or were, by name."""
        statement = "SELECT id, name FROM backport_repository ORDER BY lower(name), served DESC"
        with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=class_row(KnownRepository)) as rows,
        ):
            return rows.execute(statement).fetchall()

    def count_open(self, repositories: Sequence[KnownRepository]) -> dict[int | None, int]:
        """Count the requests that have not ended, by the number of the repository."""
        statement = """
            SELECT repository_id, count(*) FROM backport_request
            WHERE ended_at IS NULL AND repository_id = ANY(%s) GROUP BY 1
        """
        with self._database.transaction() as connection:
            return dict(connection.execute(statement, ([known.id for known in repositories],)).fetchall())

    def open_requests(self, repositories: Sequence[KnownRepository]) -> list[RequestState]:
        """Return the requests that have not ended, oldest first."""
        return self._requests(" WHERE ended_at IS NULL AND repository_id = ANY(%s) ORDER BY id", repositories, _OPEN)

    def ended_requests(self, repositories: Sequence[KnownRepository], before: int | None = None) -> list[RequestState]:
        """Return those that have, newest first; those of a number lower than `before`."""
        where: LiteralString = " WHERE ended_at IS NOT NULL AND repository_id = ANY(%s)"
        if before is None:
            return self._requests(where + " ORDER BY id DESC", repositories, _ENDED)
        return self._requests(where + " AND id < %s ORDER BY id DESC", repositories, _ENDED, before)

    def find(self, run: int) -> tuple[RequestState, RunState] | None:
        """Return a target branch with its request; None if there is none of this number."""
        where: LiteralString = " WHERE id = (SELECT request FROM backport_run WHERE id = %s)"
        with self._database.transaction() as connection:
            requests = _load(connection, _SELECT_REQUESTS + where, (run,))
        for request in requests:
            return request, next(state for state in request.runs if state.id == run)
        return None

    def request(self, number: int) -> BackportRequest:
        """Return a request as it was recorded."""
        with self._database.transaction() as connection:
            row = connection.execute("SELECT body FROM backport_request WHERE id = %s", (number,)).fetchone()
        if row is None:
            raise LookupError(number)
        return BackportRequest.model_validate_json(row[0])

    def record(self, run: int) -> RunRecord:
        """Return all that is recorded of a target branch."""
        statement = "SELECT decision, pick, verdict, difference FROM backport_run WHERE id = %s"
        with self._database.transaction() as connection, connection.cursor(row_factory=class_row(RunRecord)) as rows:
            record = rows.execute(statement, (run,)).fetchone()
        if record is None:
            raise LookupError(run)
        return record

    def log(self, run: int) -> list[LogLine]:
        """Return the newest lines of a target branch's log, oldest first."""
        statement = "SELECT id, written_at, step, line FROM backport_log WHERE run = %s ORDER BY id DESC LIMIT %s"
        with self._database.transaction() as connection, connection.cursor(row_factory=class_row(LogLine)) as rows:
            return rows.execute(statement, (run, _LINES)).fetchall()[::-1]

    def last_runs(self, repository: int | None) -> list[LastRun]:
        """Return the last run for each original and branch of a repository."""
        statement = """
            SELECT DISTINCT ON (original, target)
                run.id, original, target, step, since, ending, proof, opened
            FROM backport_run AS run JOIN backport_request AS request ON request.id = run.request
            WHERE repository_id = %s AND original IS NOT NULL ORDER BY original, target, run.id DESC
        """
        with self._database.transaction() as connection, connection.cursor(row_factory=class_row(LastRun)) as rows:
            return rows.execute(statement, (repository,)).fetchall()

    def originals(self, repository: int | None, numbers: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Return the title and the address of originals, as the last request for each has them."""
        statement = """
            SELECT DISTINCT ON (original) original, body FROM backport_request
            WHERE repository_id = %s AND original = ANY(%s) ORDER BY original, id DESC
        """
        with self._database.transaction() as connection:
            rows = connection.execute(statement, (repository, list(numbers))).fetchall()
        originals = {number: json.loads(body)["original"] for number, body in rows}
        return {number: (original["title"], original["url"]) for number, original in originals.items()}

    def _requests(
        self, where: LiteralString, repositories: Sequence[KnownRepository], limit: int, *values: int
    ) -> list[RequestState]:
        ids = [known.id for known in repositories]
        with self._database.transaction() as connection:
            return _load(connection, _SELECT_REQUESTS + where + " LIMIT %s", (ids, *values, limit))


def _load(connection: Connection, statement: LiteralString, values: tuple[Any, ...]) -> list[RequestState]:
    rows = connection.execute(statement, values).fetchall()
    with connection.cursor(row_factory=dict_row) as cursor:
        runs = cursor.execute(
            _SELECT_RUNS + " WHERE request = ANY(%s) ORDER BY place", ([row[0] for row in rows],)
        ).fetchall()
    numbers = [run["id"] for run in runs if run["step"] is not None]
    with connection.cursor(row_factory=class_row(JobState)) as cursor_of_jobs:
        jobs = {job.run: job for job in cursor_of_jobs.execute(_SELECT_JOBS, (TAKE_STEP, numbers)).fetchall()}
    states = [RunState(**run, job=jobs.get(run["id"])) for run in runs]
    return [_request(row, [state for state in states if state.request == row[0]]) for row in rows]


def _request(row: tuple[Any, ...], runs: Sequence[RunState]) -> RequestState:
    body = json.loads(row[2])
    return RequestState(
        id=row[0],
        repository=row[1],
        repository_id=row[5],
        number=body["original"]["number"],
        title=body["original"]["title"],
        url=body["original"]["url"],
        command=body["command"],
        requester=body["requester"],
        recorded_at=row[3],
        ended_at=row[4],
        runs=runs,
    )
