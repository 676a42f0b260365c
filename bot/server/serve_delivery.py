"""The jobs of a delivery: a reaction at once, and the work that it asks for."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from structlog.contextvars import bound_contextvars

from bot.commands.parser import holds_command
from bot.commands.triggers import CommentTrigger
from bot.errors import BackportError, FetchFailed, RateLimited, Unavailable
from bot.handlers.serve_trigger import refuse, serve
from bot.proof.run_isolated import RunsEnded
from bot.server.deliveries import Deliveries, Delivery
from bot.server.patience import OnResults, for_a_job, next_moment
from bot.server.repositories import Repositories
from bot.server.requests import Requests
from bot.server.take_step import RequestRecorder
from bot.server.worker import TryAgain

log = logging.getLogger(__name__)

_LONGEST = timedelta(hours=24)
"""A delivery that could not be served for so long, as GitHub did not answer, is given up."""


class DeliveryServer:
    """Serves recorded deliveries, and records the requests for backports that they hold.

    `on_results` gets the outcomes of those that end at once.
    """

    def __init__(
        self, deliveries: Deliveries, requests: Requests, repositories: Repositories, on_results: OnResults
    ) -> None:
        self._deliveries = deliveries
        self._requests = requests
        self._repositories = repositories
        self._on_results = on_results

    def acknowledge(self, _attempts: int, *, delivery: int) -> None:
        """React with 👀 to a comment, however long the requests before it take. If that fails, the work goes on."""
        record = self._deliveries.find_open(delivery)
        if record is None or not isinstance(record.trigger, CommentTrigger) or not holds_command(record.trigger.body):
            return
        try:
            repository = self._repositories.find(record.trigger.repository, record.repository_id)
            if repository is not None:
                with self._repositories.lend(repository.name, even_if_broken=True) as context:
                    context.github.react(record.trigger.comment_id, "eyes")
        except BackportError as error:
            log.warning("A comment got no sign that it was seen: %s", error)

    def serve(self, attempts: int, *, delivery: int) -> None:
        """Do what a delivery asks for. An error ends it and is logged; GitHub's silence does not.

        Raises:
            TryAgain: GitHub does not answer; the delivery waits.
        """
        record = self._deliveries.find_open(delivery)
        if record is None:
            return  # a job that was deferred twice, or a process that came back from sleep
        about = {"delivery": record.name, "pull_request": record.trigger.pull_request}
        with bound_contextvars(repository=record.trigger.repository, **about):
            self._serve_open(record, attempts)

    def _serve_open(self, record: Delivery, attempts: int) -> None:
        problem = ""
        try:
            self._serve(record)
        except RunsEnded:
            return  # what it was about is served after the next start
        except (RateLimited, Unavailable, FetchFailed) as error:
            if datetime.now(UTC) - record.received_at < _LONGEST:
                log.warning("%s Trying again.", error)
                raise TryAgain(next_moment(error, attempts)) from error
            problem = error.message
        except BackportError as error:
            log.warning("%s %s", error, error.hint)
            problem = error.message
        except Exception as error:
            # A fault of ours in one delivery must not take the others down with it.
            log.exception("The work that a delivery asks for failed.")
            problem = f"{type(error).__name__}: {error}"
        self._deliveries.end(record.id, problem)

    def _serve(self, record: Delivery) -> None:
        repository = self._repositories.find(record.trigger.repository, record.repository_id)
        if repository is None:
            return
        with self._repositories.lend(repository.name, even_if_broken=True) as context:
            if context.config_error is not None:
                if not isinstance(record.trigger, CommentTrigger):
                    raise context.config_error
                refuse(record.trigger, context.config_error, context)
                return
            recorder = RequestRecorder(self._requests)
            summary = serve(record.trigger, for_a_job(context), recorder)
            recorder.begin(summary)
        if not summary.under_way:
            self._on_results(summary.results)
