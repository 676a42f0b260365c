"""What an operator's machinery asks the service: whether it lives, whether it is ready, and figures for Prometheus.

Each process answers for itself. The figures of the queue are the same in all processes of one database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import psycopg
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.models import TargetOutcome
from bot.server.database import Database
from bot.server.worker import Worker

_SECONDS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 1800, 3600)


class Figures:
    """The figures of one process."""

    def __init__(self, database: Database) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_Queue(database))
        self._endings = Counter(
            "backport_bot_endings", "Target branches that ended, by how they did.", ["ending"], registry=self.registry
        )
        self._steps = Histogram(
            "backport_bot_step_seconds",
            "How long a step of a target branch took.",
            ["step"],
            registry=self.registry,
            buckets=_SECONDS,
        )

    def count(self, outcomes: Iterable[TargetOutcome]) -> None:
        """Count the endings of a request."""
        for outcome in outcomes:
            self._endings.labels(outcome.status.value).inc()

    @contextmanager
    def time(self, step: str) -> Iterator[None]:
        """Measure how long a step takes, also if it is taken again later."""
        with self._steps.labels(step).time():
            yield


class _Queue(Collector):
    """Reads the queue when it is asked for. A database that does not answer has no figures."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def describe(self) -> Iterable[Metric]:
        """Return nothing: it would take the database."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """See `Collector`."""
        jobs = GaugeMetricFamily("backport_bot_jobs", "Jobs in the queue.", labels=["queue", "state"])
        oldest = GaugeMetricFamily(
            "backport_bot_oldest_delivery_seconds", "The age of the oldest delivery that has not ended; 0 without one."
        )
        try:
            figures, age = self._database.queue_figures()
        except psycopg.Error:
            return
        for queue, state, count in figures:
            jobs.add_metric([queue, state], count)
        oldest.add_metric([], age)
        yield jobs
        yield oldest


def operation_routes(worker: Worker, database: Database, figures: Figures) -> Sequence[Route]:
    """Return the routes. `/healthz` fails when the process is to be ended and started again, and not before."""

    def is_alive(_request: Request) -> Response:
        return _answer(worker.is_alive, "the worker has ended")

    def is_ready(_request: Request) -> Response:
        try:
            database.count_jobs()
        except psycopg.Error:
            return _answer(False, "the database does not answer")
        return _answer(worker.is_working, "no jobs are being taken")

    def metrics(_request: Request) -> Response:
        return Response(generate_latest(figures.registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", is_alive), Route("/readyz", is_ready), Route("/metrics", metrics)]


def _answer(is_well: bool, reason: str) -> Response:
    return PlainTextResponse("ok") if is_well else PlainTextResponse(reason, 503)
