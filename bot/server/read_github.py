"""Looks on GitHub for requests whose webhook was lost: when the service starts, and every ten minutes.

One job asks which repositories there are, one for each of them which of its pull requests changed. Each of those is
then read by a job of its own, under the lock of its deliveries, so that no request is served twice at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from bot.errors import TEMPORARY, BackportError, FetchFailed
from bot.handlers.reconcile import reconcile_pull_request
from bot.proof.run_isolated import RunsEnded
from bot.server import turns
from bot.server.budgets import Purpose
from bot.server.configuration_check import UPKEEP, ConfigurationCheck
from bot.server.database import Database, Job
from bot.server.deliveries import REQUESTS, pull_request_lock
from bot.server.patience import for_a_job, next_moment
from bot.server.repositories import NotServed, Repositories
from bot.server.requests import Requests
from bot.server.take_step import RequestRecorder
from bot.server.worker import Task, TryAgain

log = logging.getLogger(__name__)

_READ, _READ_REPOSITORY, _READ_ONE = "read-github", "read-repository", "read-pull-request"
_EVERY_TEN_MINUTES = "*/10 * * * *"
_AT_FIRST = timedelta(days=14)
_OVERLAP = timedelta(minutes=10)
"""GitHub's lists may lag behind, and the clocks may differ."""
_AFTER_DELIVERIES = 4
"""It comes as if so many deliveries of its repository waited before it."""
_FACT = "read-github-at"


class GitHubReader:
    """Reads the comments, labels and merges of the pull requests that changed since the last time."""

    def __init__(
        self, database: Database, requests: Requests, repositories: Repositories, check: ConfigurationCheck
    ) -> None:
        self._database = database
        self._requests = requests
        self._repositories = repositories
        self._check = check

    def tasks(self) -> tuple[Task, ...]:
        """Return what the worker is to do."""
        return (
            Task(_READ, self._read, cron=_EVERY_TEN_MINUTES, queue=UPKEEP),
            Task(_READ_REPOSITORY, self._read_repository),
            Task(_READ_ONE, self._read_one),
        )

    def defer(self) -> None:
        """Let the worker begin at once."""
        job = Job(task=_READ, queue=UPKEEP, lock=_READ, name=_READ)
        with self._database.transaction() as connection:
            self._database.defer(connection, job)

    def _read(self, attempts: int, *, timestamp: int = 0) -> None:
        del timestamp
        with _waiting_for_github(attempts):
            self._repositories.list_again()
        with self._database.transaction() as connection:
            for served in self._repositories.served():
                name = f"{_READ_REPOSITORY} {served.id or served.name}"
                job = Job(task=_READ_REPOSITORY, queue=UPKEEP, lock=name, name=name)
                self._database.defer(connection, job, repository=served.name)
                self._check.defer(connection, served.name)

    def _read_repository(self, attempts: int, *, repository: str) -> None:
        fact = f"{_FACT} {repository}"
        last = self._database.fact(fact)
        began_at = datetime.now(UTC)
        since = datetime.fromisoformat(last) - _OVERLAP if last else began_at - _AT_FIRST
        with _waiting_for_github(attempts), self._repositories.lend(repository, purpose=Purpose.READING) as context:
            numbers = list(context.github.changed_since(since))
        with self._database.transaction() as connection:
            for number in numbers:
                name = f"{_READ_ONE} {repository}#{number}"
                lock = pull_request_lock(repository, number)
                job = Job(
                    task=_READ_ONE, queue=REQUESTS, lock=lock, name=name, priority=turns.priority(_AFTER_DELIVERIES)
                )
                self._database.defer(connection, job, number=number, repository=repository)
        self._database.keep_fact(fact, began_at.isoformat())

    def _read_one(self, attempts: int, *, number: int, repository: str) -> None:
        with _waiting_for_github(attempts), self._repositories.lend(repository, purpose=Purpose.READING) as context:
            recorder = RequestRecorder(self._requests)
            recorder.begin(reconcile_pull_request(number, for_a_job(context), recorder))


@contextmanager
def _waiting_for_github(attempts: int) -> Iterator[None]:
    """Raise TryAgain if GitHub does not answer. Any other error is logged, and met again at the next reading."""
    try:
        yield
    except RunsEnded as error:
        raise TryAgain(datetime.now(UTC)) from error
    except (*TEMPORARY, FetchFailed) as error:
        log.warning("%s Trying again.", error)
        raise TryAgain(next_moment(error, attempts)) from error
    except NotServed:
        return  # it was taken out of the service meanwhile
    except BackportError as error:
        log.warning("%s %s", error, error.hint)
