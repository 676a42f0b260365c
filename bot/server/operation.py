"""What an operator's machinery asks the service: whether it lives, whether it is ready, and figures for Prometheus.

Each process answers for itself. The figures of the queue are the same in all processes of one database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import psycopg
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.models import TargetOutcome
from bot.pipeline.context import RepositoryContext
from bot.server.database import Database
from bot.server.webhooks import DeliveryResult
from bot.server.worker import Worker

_LONGEST_IDLE = 180.0
"""Seconds without taking jobs: after a loss of the database it takes a few, and the jobs in hand get their grace."""
_SECONDS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 1800, 3600)


class Figures:
    """The figures of one process. `is_working` says whether jobs are being taken."""

    def __init__(self, database: Database, is_working: Callable[[], bool] = lambda: False) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_Queue(database))
        worker_up = Gauge("backport_bot_worker_up", "Whether this process takes jobs.", registry=self.registry)
        worker_up.set_function(is_working)
        self._deliveries = Counter(
            "backport_bot_deliveries", "Webhook deliveries, by what became of them.", ["result"], registry=self.registry
        )
        self._budget = Gauge(
            "backport_bot_github_requests_left",
            "What is left of GitHub's rate limit, as its last answer said.",
            ["owner", "api"],
            registry=self.registry,
        )
        self._limit = Gauge(
            "backport_bot_github_requests_limit", "GitHub's rate limit.", ["owner", "api"], registry=self.registry
        )
        self._reset = Gauge(
            "backport_bot_github_limit_reset_timestamp_seconds",
            "When GitHub's rate limit begins anew.",
            ["owner", "api"],
            registry=self.registry,
        )
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

    def count_delivery(self, result: DeliveryResult) -> None:
        """Count a delivery."""
        self._deliveries.labels(result.value).inc()

    def note_budgets(self, context: RepositoryContext) -> None:
        """Note what GitHub left of the rate limit of the account that serves a repository."""
        owner = context.github.repository.partition("/")[0]
        for budget in context.github.budgets():
            labels = owner, budget.api
            self._budget.labels(*labels).set(budget.left)
            self._limit.labels(*labels).set(budget.limit)
            self._reset.labels(*labels).set(budget.reset)

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
    """Reads the queue when it is asked for. A database that does not answer has no figures but that."""

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
        waiting = GaugeMetricFamily(
            "backport_bot_oldest_job_seconds", "How long the oldest job that is due has waited.", labels=["queue"]
        )
        mirrors = GaugeMetricFamily("backport_bot_mirror_bytes", "The size of a mirror.", labels=["repository"])
        database_up = GaugeMetricFamily("backport_bot_database_up", "Whether the database answers.")
        try:
            figures = self._database.queue_figures()
        except psycopg.Error:
            database_up.add_metric([], 0)
            yield database_up
            return
        database_up.add_metric([], 1)
        for queue, state, count in figures.jobs:
            jobs.add_metric([queue, state], count)
        for queue, age in figures.oldest_jobs:
            waiting.add_metric([queue], age)
        oldest.add_metric([], figures.oldest_delivery)
        for repository, size in figures.mirrors:
            mirrors.add_metric([repository], size)
        yield from (database_up, jobs, waiting, oldest, mirrors)


def operation_routes(worker: Worker, database: Database, figures: Figures) -> Sequence[Route]:
    """Return the routes. `/healthz` fails when the process is to be ended and started again, and not before."""

    def answers() -> bool:
        try:
            database.count_jobs()
        except psycopg.Error:
            return False
        return True

    def is_alive(_request: Request) -> Response:
        # Without its database the worker waits, and another process would do no better.
        if worker.is_alive and worker.idle_seconds > _LONGEST_IDLE and answers():
            return _answer(False, "the worker takes no jobs although the database answers")
        return _answer(worker.is_alive, "the worker has ended")

    def is_ready(_request: Request) -> Response:
        if not answers():
            return _answer(False, "the database does not answer")
        return _answer(worker.is_working, "no jobs are being taken")

    def metrics(_request: Request) -> Response:
        return Response(generate_latest(figures.registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", is_alive), Route("/readyz", is_ready), Route("/metrics", metrics)]


def _answer(is_well: bool, reason: str) -> Response:
    return PlainTextResponse("ok") if is_well else PlainTextResponse(reason, 503)
