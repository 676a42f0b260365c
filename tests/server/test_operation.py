"""What an operator's machinery sees of a service that works, that lost its database, and that has ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests as http

from bot.environment.loopback import run_server
from bot.models import Failed
from bot.server.database import Database
from bot.server.deliveries import Deliveries
from bot.server.operation import Figures, operation_routes
from bot.server.webhooks import webhook_app
from bot.server.worker import Worker
from tests.server.test_deliveries import new


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
    figures = Figures(database)
    with _served(worker, database, figures) as url:
        with database.transaction() as connection:
            connection.execute("ALTER TABLE procrastinate_jobs RENAME TO away")
        try:
            assert (_status(url, "/healthz"), _status(url, "/readyz")) == (200, 503)
            assert "backport_bot_jobs" not in http.get(f"{url}/metrics", timeout=30).text
        finally:
            with database.transaction() as connection:
                connection.execute("ALTER TABLE away RENAME TO procrastinate_jobs")
            worker.stop()


def test_the_figures_are_those_of_the_queue_and_of_what_has_ended(database: Database, worker: Worker) -> None:
    figures = Figures(database)
    figures.count([Failed(target="release/1.2", message="No.", hint="Look.")])
    with figures.time("pick"):
        Deliveries(database).accept(new())
    with _served(worker, database, figures) as url:
        answer = http.get(f"{url}/metrics", timeout=30)
    lines = answer.text.splitlines()
    assert 'backport_bot_jobs{queue="requests",state="todo"} 1.0' in lines
    assert 'backport_bot_endings_total{ending="failed"} 1.0' in lines
    assert 'backport_bot_step_seconds_count{step="pick"} 1.0' in lines
    (age,) = (line for line in lines if line.startswith("backport_bot_oldest_delivery_seconds "))
    assert float(age.split()[1]) >= 0
    assert answer.headers["content-type"].startswith("text/plain")
