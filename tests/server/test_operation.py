"""What an operator's machinery sees of a service that works, that lost its database, and that has ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests as http

from bot.environment.loopback import run_server
from bot.models import Failed
from bot.server import operation
from bot.server.database import Database
from bot.server.deliveries import Deliveries
from bot.server.operation import Figures, operation_routes
from bot.server.webhooks import DeliveryResult, webhook_app
from bot.server.worker import Worker
from tests.pipeline.conftest import history, office
from tests.pipeline.office import Office
from tests.server.test_deliveries import new

__all__ = ["history", "office"]


@pytest.fixture
def worker(database: Database) -> Worker:
    return Worker(database.conninfo, (), {"work": 1}, lambda: None)


@contextmanager
def _served(worker: Worker, database: Database, figures: Figures) -> Iterator[str]:
    routes = operation_routes(worker, database, figures)
    with run_server(webhook_app(Deliveries(database), secrets=["s"], routes=routes)) as url:
        yield url


def _status(url: str, path: str) -> int:
    return http.get(f"{url}{path}", timeout=30).status_code


def test_a_worker_that_takes_no_jobs_while_the_database_answers_is_ended(
    database: Database, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation, "_LONGEST_IDLE", 0.0)
    monkeypatch.setattr(Worker, "_work", Worker._until_stopping)
    worker.start()
    with _served(worker, database, Figures(database)) as url:
        answer = http.get(f"{url}/healthz", timeout=30)
        assert (answer.status_code, answer.text) == (503, "the worker takes no jobs although the database answers")
        with database.transaction() as connection:
            connection.execute("ALTER TABLE procrastinate_jobs RENAME TO away")
        try:
            assert _status(url, "/healthz") == 200, "without its database no process would do better"
        finally:
            with database.transaction() as connection:
                connection.execute("ALTER TABLE away RENAME TO procrastinate_jobs")
            worker.stop()


def test_a_service_is_alive_and_ready_while_its_worker_is(database: Database, worker: Worker) -> None:
    with _served(worker, database, Figures(database)) as url:
        assert (_status(url, "/healthz"), _status(url, "/readyz")) == (503, 503)
        worker.start()
        assert worker.wait_until(lambda: worker.is_working, 60)
        assert (_status(url, "/healthz"), _status(url, "/readyz")) == (200, 200)
        worker.stop()
        assert (_status(url, "/healthz"), _status(url, "/readyz")) == (503, 503)


def test_without_its_database_it_is_alive_and_not_ready(database: Database, worker: Worker) -> None:
    worker.start()
    figures = Figures(database, lambda: worker.is_working)
    with _served(worker, database, figures) as url:
        with database.transaction() as connection:
            connection.execute("ALTER TABLE procrastinate_jobs RENAME TO away")
        try:
            assert (_status(url, "/healthz"), _status(url, "/readyz")) == (200, 503)
            figures_text = http.get(f"{url}/metrics", timeout=30).text
            assert "backport_bot_jobs" not in figures_text
            assert "backport_bot_database_up 0.0" in figures_text
        finally:
            with database.transaction() as connection:
                connection.execute("ALTER TABLE away RENAME TO procrastinate_jobs")
            worker.stop()


def test_the_figures_are_those_of_the_queue_of_github_and_of_what_has_ended(
    database: Database, worker: Worker, office: Office
) -> None:
    figures = Figures(database)
    figures.count([Failed(target="release/1.2", message="No.", hint="Look.")])
    with figures.time("pick"):
        Deliveries(database).accept(new())
    with database.transaction() as connection:
        connection.execute("UPDATE procrastinate_events SET at = now() - interval '1 hour'")
    office.context.github.pull_request(7)
    figures.note_budgets(office.context)
    figures.count_delivery(DeliveryResult.REFUSED)
    with _served(worker, database, figures) as url:
        answer = http.get(f"{url}/metrics", timeout=30)
    lines = answer.text.splitlines()
    assert 'backport_bot_jobs{queue="requests",state="todo"} 1.0' in lines
    assert 'backport_bot_deliveries_total{result="refused"} 1.0' in lines
    assert {"backport_bot_database_up 1.0", "backport_bot_worker_up 0.0"} < set(lines)
    (waiting,) = (line for line in lines if line.startswith('backport_bot_oldest_job_seconds{queue="requests"} '))
    assert float(waiting.split()[1]) >= 3600
    assert 'backport_bot_github_requests_left{api="rest",owner="acme"} 4999.0' in lines
    assert 'backport_bot_endings_total{ending="failed"} 1.0' in lines
    assert 'backport_bot_step_seconds_count{step="pick"} 1.0' in lines
    (age,) = (line for line in lines if line.startswith("backport_bot_oldest_delivery_seconds "))
    assert float(age.split()[1]) >= 0
    assert answer.headers["content-type"].startswith("text/plain")
