"""Requests for backports in the database: which step of each target branch is next, and the jobs that take them.

The result of a step and the jobs that it makes possible are recorded in one transaction. So a crash leaves nothing
undone but the steps in hand.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import LiteralString

from psycopg import Connection
from psycopg.rows import class_row

from bot.models import Target, TargetOutcome
from bot.pipeline.request import BackportRequest
from bot.pipeline.run import Step
from bot.server import turns
from bot.server.database import Database, Job
from bot.server.request_rows import COMMENTS, SHOW, RequestRow, RunRow, is_ready, step_job
from bot.server.run_store import EndingWords, ending_of, write_decision

_SELECT_RUNS: LiteralString = """
    SELECT id, request, target, position, step, rounds, prove_queue, waits_for, shown FROM backport_run
"""


class Requests:
    """The recorded requests. It may be used from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self,
        request: BackportRequest,
        repository: str,
        repository_id: int,
        targets: Sequence[str],
        order: Sequence[Target],
        ended: Collection[TargetOutcome],
    ) -> int:
        """Record a request and return its number; one that is known already keeps its number and its state.

        `targets` are all branches in the comment's order, `order` those to serve in their order, and `ended` has the
        outcomes of the others.
        """
        identity = json.dumps([repository.casefold(), request.original.number, request.key, str(request.labelled_at)])
        positions = {str(target): position for position, target in enumerate(order)}
        outcomes = {outcome.target: outcome for outcome in ended}
        with self._database.transaction() as connection:
            values = (
                identity,
                repository,
                repository_id,
                request.comment_id,
                request.model_dump_json(),
                request.original.number,
            )
            # What is known is written as it is, so that its number is returned.
            statement = """
                INSERT INTO backport_request AS known (identity, repository, repository_id, comment_id, body, original)
                VALUES (%s, %s, %s, %s, %s, %s)
                ON CONFLICT (identity) DO UPDATE SET identity = known.identity RETURNING id, xmax = 0
            """
            row = connection.execute(statement, values).fetchone()
            number, is_new = row or (0, False)
            if not is_new:
                self._show_again(connection, number)
                return int(number)
            for place, target in enumerate(targets):
                decision = write_decision(target, outcomes[target]) if target in outcomes else None
                step = None if decision else Step.PICK.value
                ending = ending_of(outcomes[target]) if target in outcomes else EndingWords()
                connection.execute(
                    "INSERT INTO backport_run (request, target, place, position, step, decision, ending) "
                    "VALUES (%s, %s, %s, %s, %s, %s, %s)",
                    (number, target, place, positions.get(target, -1), step, decision, ending.status),
                )
        return int(number)

    def _show_again(self, connection: Connection, request: int) -> None:
        """Let a request that has ended be shown once more: it is asked for again only if its comment is gone."""
        statement = """
            UPDATE backport_request SET ended_at = NULL, shown_state = ''
            WHERE id = %s AND ended_at IS NOT NULL RETURNING id
        """
        if connection.execute(statement, (request,)).fetchone() is not None:
            connection.execute("UPDATE backport_run SET shown = false WHERE request = %s", (request,))

    def begin(self, request: int, *, refused: bool) -> None:
        """Let the work on a request begin. `refused`: another command of its comment was refused."""
        statement = "UPDATE backport_request SET began_at = now(), refused = %s WHERE id = %s AND began_at IS NULL"
        with self._database.transaction() as connection:
            connection.execute(statement, (refused, request))
            self.defer(connection, request)

    def load(self, request: int) -> tuple[RequestRow, list[RunRow]]:
        """Return a request, and its target branches in the comment's order."""
        with self._database.transaction() as connection:
            return self._load(connection, request)

    def find_run(self, run: int) -> RunRow | None:
        """Return one target branch; None if there is none of this number."""
        with self._database.transaction() as connection, connection.cursor(row_factory=class_row(RunRow)) as cursor:
            return cursor.execute(_SELECT_RUNS + " WHERE id = %s", (run,)).fetchone()

    def defer(self, connection: Connection, request: int) -> None:
        """Defer a job for each step that can be taken now, and one that shows how far the request is."""
        # Two steps that end at the same time look one after the other, so that one of them sees both.
        connection.execute("SELECT FROM backport_request WHERE id = %s FOR UPDATE", (request,))
        row, runs = self._load(connection, request)
        for run in runs:
            step = run.next_step
            if step is not None and is_ready(run, step, runs):
                self._defer_step(connection, run, step, row.repository)
        name = f"{SHOW} {request}"
        self._database.defer(connection, Job(task=SHOW, queue=COMMENTS, lock=name, name=name), request=request)

    def defer_lost(self) -> None:
        """Defer the jobs of all open requests that have none, as after a crash."""
        with self._database.transaction() as connection:
            statement = """
                SELECT id FROM backport_request AS request
                WHERE ended_at IS NULL AND began_at IS NOT NULL AND (
                    EXISTS (
                        SELECT FROM backport_run AS run
                        WHERE run.request = request.id AND step IS NOT NULL AND NOT EXISTS (
                            SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing')
                            AND queueing_lock = 'run ' || run.id || ' ' || run.step || ' ' || run.rounds
                        )
                    )
                    OR NOT EXISTS (SELECT FROM backport_run WHERE request = request.id AND step IS NOT NULL)
                )
                ORDER BY id
            """
            rows = connection.execute(statement).fetchall()
        for (request,) in rows:
            with self._database.transaction() as connection:
                self.defer(connection, request)

    def advance(self, connection: Connection, run: RunRow, step: Step | None, changes: Mapping[str, object]) -> None:
        """Record the next step of a target branch, or its end, and defer what becomes possible."""
        rounds = run.rounds + (step is Step.PICK)
        columns = {"step": step.value if step else None, "rounds": rounds, **changes}
        assignments = ", ".join(f"{name} = %s" for name in columns)
        statement = f"UPDATE backport_run SET {assignments}, since = now() WHERE id = %s"  # noqa: S608 - names of columns
        connection.execute(statement.encode(), (*columns.values(), run.id))
        self.defer(connection, run.request)

    def note_shown(self, connection: Connection, request: int, targets: Sequence[str], state: str = "") -> None:
        """Note that the endings of these target branches were shown, and the `state` of all."""
        connection.execute("UPDATE backport_request SET shown_state = %s WHERE id = %s", (state, request))
        statement = "UPDATE backport_run SET shown = true WHERE request = %s AND target = ANY(%s)"
        connection.execute(statement, (request, list(targets)))

    def end(self, connection: Connection, request: int) -> None:
        """Note that a request has ended and was shown."""
        connection.execute("UPDATE backport_request SET ended_at = now() WHERE id = %s", (request,))

    def others_of_comment(self, connection: Connection, row: RequestRow) -> tuple[list[int], bool]:
        """Return the ended requests of the same comment, this one included, and whether another one has not ended.

        Until the transaction has ended, no other request of the comment ends.
        """
        statement = """
            SELECT id, ended_at FROM backport_request
            WHERE id = %(id)s OR (repository = %(repository)s AND comment_id = %(comment)s) ORDER BY id FOR UPDATE
        """
        values = {"id": row.id, "repository": row.repository, "comment": row.request.comment_id}
        rows = connection.execute(statement, values).fetchall()
        return [number for number, _ in rows], any(number != row.id and ended is None for number, ended in rows)

    def count_open(self) -> int:
        """Count the requests that have not ended."""
        with self._database.transaction() as connection:
            row = connection.execute("SELECT count(*) FROM backport_request WHERE ended_at IS NULL").fetchone()
        return row[0] if row else 0

    def _load(self, connection: Connection, request: int) -> tuple[RequestRow, list[RunRow]]:
        with connection.cursor(row_factory=class_row(RequestRow)) as cursor:
            row = cursor.execute(
                "SELECT id, repository, repository_id, body, refused, recorded_at, shown_state "
                "FROM backport_request WHERE id = %s",
                (request,),
            ).fetchone()
        with connection.cursor(row_factory=class_row(RunRow)) as runs:
            found = runs.execute(_SELECT_RUNS + " WHERE request = %s ORDER BY place", (request,)).fetchall()
        if row is None:
            raise LookupError(request)
        return row, found

    def _defer_step(self, connection: Connection, run: RunRow, step: Step, repository: str) -> None:
        job = step_job(run, step, repository)
        running = "SELECT FROM procrastinate_jobs WHERE queueing_lock = %s AND status = 'doing'"
        if connection.execute(running, (job.name,)).fetchone() is None:
            job = replace(job, priority=turns.priority(self._count_waiting(connection, job.queue, repository)))
            self._database.defer(connection, job, run=run.id, step=step.value, rounds=run.rounds, repository=repository)

    def _count_waiting(self, connection: Connection, queue: str, repository: str) -> int:
        """Count a repository's steps that wait in a queue."""
        statement = """
            SELECT count(*) FROM procrastinate_jobs
            WHERE status = 'todo' AND queue_name = %s AND args ->> 'repository' = %s
        """
        row = connection.execute(statement, (queue, repository)).fetchone()
        return int(row[0]) if row else 0
