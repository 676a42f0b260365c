"""The worker on a real PostgreSQL; a dead process is one whose jobs and whose sign of life were left in the tables."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest

from bot.server import worker as worker_module
from bot.server.database import Database, Job
from bot.server.worker import Task, TryAgain, Worker

PATIENCE = 60.0


def defer(database: Database, number: int, *, lock: str | None = None) -> None:
    job = Job(task="work", queue="work", lock=lock or f"lock {number}", name=f"work {number}")
    with database.transaction() as connection:
        database.defer(connection, job, number=number)


def waiting(database: Database) -> int:
    with database.transaction() as connection:
        row = connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone()
    assert row is not None
    return int(row[0])


@contextmanager
def working(
    database: Database,
    run: Callable[..., None],
    *,
    upkeep: Callable[[], None] = lambda: None,
    queues: Mapping[str, int] | None = None,
    grace: float = 20.0,
) -> Iterator[Worker]:
    worker = Worker(database.conninfo, (Task("work", run),), queues or {"work": 1}, upkeep, grace)
    worker.start()
    yield worker
    worker.stop()


class Calls:
    """Notes the calls of a job, and lets a test wait for them."""

    def __init__(self, errors: Mapping[int, list[BaseException]] | None = None) -> None:
        self.numbers: list[int] = []
        self._errors = errors or {}
        self._changed = threading.Condition()

    def __call__(self, _attempts: int, *, number: int) -> None:
        with self._changed:
            self.numbers.append(number)
            self._changed.notify_all()
        errors = self._errors.get(number)
        if errors:
            raise errors.pop(0)

    def wait_for(self, *numbers: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.numbers == list(numbers), PATIENCE), self.numbers


def test_what_was_waiting_before_the_start_is_done(database: Database) -> None:
    defer(database, 1)
    calls = Calls()
    with working(database, calls):
        calls.wait_for(1)
        defer(database, 2)
        calls.wait_for(1, 2)
    assert waiting(database) == 0


def test_an_error_in_one_job_does_not_stop_the_next(database: Database) -> None:
    calls = Calls({1: [ZeroDivisionError("a fault of ours")]})
    for number in (1, 2):
        defer(database, number)
    with working(database, calls):
        calls.wait_for(1, 2)


def test_a_job_that_asks_for_it_is_tried_again(database: Database) -> None:
    calls = Calls({1: [TryAgain(datetime.now(UTC)), TryAgain(datetime.now(UTC))]})
    defer(database, 1)
    with working(database, calls):
        calls.wait_for(1, 1, 1)


def test_of_one_lock_one_job_runs_at_a_time_and_others_run_meanwhile(database: Database) -> None:
    running, process, calls = threading.Event(), threading.Event(), Calls()

    def run(attempts: int, *, number: int) -> None:
        calls(attempts, number=number)
        if number == 1:
            running.set()
            assert process.wait(PATIENCE)

    for number, lock in ((1, "a"), (2, "a"), (3, "b")):
        defer(database, number, lock=lock)
    with working(database, run, queues={"work": 3}):
        calls.wait_for(1, 3)
        process.set()
        calls.wait_for(1, 3, 2)


def _leave(database: Database, *, age: int) -> None:
    """Leave what a process leaves that was killed with a job in hand, its last sign of life `age` seconds old."""
    defer(database, 1)
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s * interval '1 s')", (age,)
        )
        connection.execute("SELECT procrastinate_fetch_job_v2(NULL, (SELECT max(id) FROM procrastinate_workers))")


def test_the_job_of_a_dead_process_that_was_alone_is_done_at_once(database: Database) -> None:
    _leave(database, age=0)
    calls = Calls()
    with working(database, calls):
        calls.wait_for(1)


@pytest.mark.parametrize(("age", "taken"), [(0, False), (3600, True)], ids=["alive", "dead"])
def test_beside_another_process_only_what_is_overdue_is_taken_over(database: Database, age: int, taken: bool) -> None:
    _leave(database, age=age)
    calls, started = Calls(), threading.Event()

    with psycopg.connect(database.conninfo) as other:
        other.execute("SELECT pg_advisory_lock_shared(%s)", (worker_module._PRESENCE,))
        with working(database, calls, upkeep=started.set):
            assert started.wait(PATIENCE)
            if taken:
                calls.wait_for(1)
    assert waiting(database) == (0 if taken else 1)


def test_the_end_of_a_job_that_another_process_took_over_is_no_trouble_of_the_database(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    taken = threading.Event()

    def run(_attempts: int, *, number: int) -> None:
        if number == 1:
            with database.transaction() as connection:
                connection.execute("DELETE FROM procrastinate_jobs WHERE status = 'doing'")
        else:
            taken.set()

    with working(database, run) as worker:
        defer(database, 1)
        assert worker.wait_until(lambda: "taken over" in caplog.text, PATIENCE)
        defer(database, 2)
        assert taken.wait(PATIENCE)
    assert "cannot be used" not in caplog.text


def test_a_job_that_does_not_end_holds_up_the_end_no_longer_than_its_grace(database: Database) -> None:
    running, process = threading.Event(), threading.Event()

    def run(_attempts: int, *, number: int) -> None:
        running.set()
        process.wait(PATIENCE)

    defer(database, 1)
    with working(database, run, grace=0.1) as worker:
        assert running.wait(PATIENCE)
        was_working = worker.is_working
    assert (was_working, worker.is_working) == (True, False)
    process.set()


def test_a_database_that_goes_away_stops_the_work_only_for_a_while(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "_PAUSE", 0.1)
    calls = Calls()
    defer(database, 1)
    with working(database, calls) as worker:
        # A job whose end is not recorded yet would be begun again.
        assert worker.wait_until(lambda: database.count_jobs() == 0, PATIENCE)
        with psycopg.connect(database.conninfo, autocommit=True) as administrator:
            administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        defer(database, 2)
        calls.wait_for(1, 2)
