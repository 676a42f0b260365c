"""Puts the service together: the webhook endpoint, the queue in PostgreSQL, and the worker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute

from bot.commands.label_targets import target_of_label
from bot.commands.parser import NAME
from bot.commands.triggers import CommentTrigger, LabelTrigger, Trigger, parse_delivery
from bot.environment.loopback import run_server
from bot.environment.process_folder import process_folder
from bot.environment.signing import SigningKey
from bot.server import proof_queues
from bot.server.configuration_check import UPKEEP, ConfigurationCheck
from bot.server.connections import PatientProtocol
from bot.server.database import Database
from bot.server.deliveries import ACKNOWLEDGE, REQUESTS, SERVE, SIGNS, Deliveries
from bot.server.embedded_postgres import embedded_postgres
from bot.server.old_journal import take_over_journal
from bot.server.operation import Figures, operation_routes
from bot.server.pages.application import open_pages
from bot.server.pages.settings import NO_PAGES, PagesMode, PagesSettings
from bot.server.patience import OnResults
from bot.server.read_github import GitHubReader
from bot.server.repositories import Repositories, RepositorySource
from bot.server.repository_events import RepositoryEvents
from bot.server.request_rows import COMMENTS, STEPS
from bot.server.requests import Requests
from bot.server.retention import DEFAULT_RETENTION, Keeper, Retention
from bot.server.serve_delivery import DeliveryServer
from bot.server.signing_keys import accept_earlier_keys
from bot.server.surveys import SURVEYS, Surveyor
from bot.server.take_step import RequestServer
from bot.server.webhooks import ReadTrigger, webhook_app
from bot.server.worker import Task, Worker
from bot.text.comment_text import may_start_line

# One proof at a time, as the suites of one machine would disturb each other. Of a proof elsewhere, the job only waits.
_QUEUES = {REQUESTS: 2, SIGNS: 1, UPKEEP: 1, SURVEYS: 1, STEPS: 3, COMMENTS: 2, **proof_queues.QUEUES}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """Where a service keeps its things, where it listens, and what it believes.

    `directory` has the queue, unless `database` names a PostgreSQL. A delivery is signed with one of the `secrets`.
    """

    directory: Path
    secrets: Sequence[str] = ()
    signing_key: SigningKey | None = None
    own_login: str | None = None
    database: str | None = None
    host: str = "127.0.0.1"
    port: int = 0
    retention: Retention = DEFAULT_RETENTION
    reads_github: bool = True
    """Whether to look on GitHub, now and every ten minutes, for requests whose webhook was lost."""
    pages: PagesSettings = NO_PAGES


@dataclass(frozen=True, slots=True)
class Service:
    """A running service. `url` is where GitHub is to send its deliveries."""

    url: str
    database: Database
    deliveries: Deliveries
    requests: Requests
    worker: Worker
    repositories: Repositories

    def wait_until_idle(self, timeout: float) -> bool:
        """Wait (seconds) until there is nothing left to do; False if that did not happen in time."""

        def is_idle() -> bool:
            return not (self.deliveries.count_open() or self.requests.count_open() or self.database.count_jobs())

        return self.worker.wait_until(is_idle, timeout)


@contextmanager
def running_service(
    source: RepositorySource, settings: ServiceSettings, *, on_results: OnResults = lambda _results: None
) -> Iterator[Service]:
    """Serve webhooks while the block runs. Deliveries that an earlier process left are served first.

    GitHub need not answer for that. `on_results` gets the results of each request. Put a reverse proxy with TLS in
    front for deliveries from outside.

    Raises:
        ConfigError: the database cannot be used.
        BackportError: the address cannot be opened.
    """
    with ExitStack() as stack:
        conninfo = settings.database or stack.enter_context(embedded_postgres(settings.directory))
        stack.enter_context(process_folder())
        database = Database(conninfo)
        stack.callback(database.close)
        if settings.signing_key is not None:
            accept_earlier_keys(database, settings.signing_key)
        deliveries = Deliveries(database)
        take_over_journal(settings.directory, deliveries, own_login=settings.own_login)
        repositories = Repositories(database, source)
        stack.callback(repositories.close)
        requests = Requests(database)
        server = DeliveryServer(deliveries, requests, repositories, on_results)
        tasks = [Task(SERVE, server.serve), Task(ACKNOWLEDGE, server.acknowledge)]
        figures = Figures(database, lambda: worker.is_working)
        tasks += RequestServer(database, requests, repositories, figures, on_results).tasks()
        check = ConfigurationCheck(database, repositories)
        events = RepositoryEvents(database, repositories, check)
        tasks += [*check.tasks(), *events.tasks()]
        tasks += _timer_tasks(settings, database, requests, repositories, check)

        def upkeep() -> None:
            deliveries.defer_lost()
            requests.defer_lost()

        worker = Worker(conninfo, tasks, _QUEUES, upkeep)
        routes: list[BaseRoute] = [*operation_routes(worker, database, figures)]
        pages = open_pages(settings.pages, database, repositories)
        routes += pages.routes if pages is not None else ()
        app = webhook_app(
            deliveries,
            secrets=settings.secrets,
            read_trigger=_trigger_reader(settings, repositories),
            take_event=events.take,
            on_result=figures.count_delivery,
            routes=routes,
        )
        url = stack.enter_context(run_server(app, host=settings.host, port=settings.port, protocol=PatientProtocol))
        if pages is not None:
            stack.callback(pages.close)  # the server waits for what is open
        worker.start()
        stack.callback(worker.stop)
        yield Service(f"{url}/webhook", database, deliveries, requests, worker, repositories)


def _timer_tasks(
    settings: ServiceSettings,
    database: Database,
    requests: Requests,
    repositories: Repositories,
    check: ConfigurationCheck,
) -> list[Task]:
    """Return the tasks that a timer begins, and defer the first job of each."""
    timers: list[GitHubReader | Surveyor | Keeper] = [Keeper(database, settings.retention)]
    if settings.reads_github:
        timers.append(GitHubReader(database, requests, repositories, check))
    if settings.reads_github and settings.pages.mode is not PagesMode.OFF:
        timers.append(Surveyor(database, repositories))
    for timer in timers:
        timer.defer()
    return [task for timer in timers for task in timer.tasks()]


def _trigger_reader(settings: ServiceSettings, repositories: Repositories) -> ReadTrigger:
    def read_trigger(event: str, payload: Mapping[str, Any]) -> Trigger | None:
        trigger = parse_delivery(event, payload, own_login=settings.own_login)
        # Most comments and labels ask for nothing. The work looks closer at those that may.
        if isinstance(trigger, CommentTrigger) and not may_start_line(trigger.body, NAME):
            return None
        if isinstance(trigger, LabelTrigger) and not may_ask(trigger):
            return None
        return trigger

    def may_ask(trigger: LabelTrigger) -> bool:
        # Until GitHub has answered once, the configuration may be unknown.
        config = repositories.config(trigger.repository)
        return config is None or target_of_label(trigger.label, config) is not None

    return read_trigger
