"""The jobs of a delivery: a reaction at once, and the work that it asks for."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import psycopg
from structlog.contextvars import bound_contextvars

from bot.commands.parser import holds_command
from bot.commands.triggers import CommentTrigger
from bot.errors import TEMPORARY, BackportError, FetchFailed
from bot.handlers.serve_trigger import refuse, serve
from bot.pipeline.unexpected_errors import as_backport_error
from bot.proof.run_isolated import RunsEnded
from bot.server.budgets import Purpose
from bot.server.deliveries import Deliveries, Delivery
from bot.server.fence import Fence, Overtaken, fenced
from bot.server.patience import BREAKDOWNS, FETCHES, OnResults, check_losses, database_moment, for_a_job, next_moment
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
                lend = self._repositories.lend(repository.name, even_if_broken=True, purpose=Purpose.ANSWER)
                with lend as context:
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
            with self._deliveries.fence(record.id) as fence:
                check_losses(fence.losses)
                self._serve(record, fence)
        except (RunsEnded, Overtaken):
            return  # what it was about is served after the next start, or another process serves it
        except psycopg.Error as error:
            raise TryAgain(database_moment(error)) from error
        except Exception as error:
            self._put_off(record, error, attempts)
            problem = error.message if isinstance(error, BackportError) else f"{type(error).__name__}: {error}"
            self._reply(record, error)
        self._deliveries.end(record.id, problem)

    def _put_off(self, record: Delivery, error: Exception, attempts: int) -> None:
        """Raise TryAgain if another attempt may help; log what ends the delivery otherwise."""
        if isinstance(error, (*TEMPORARY, FetchFailed)):
            is_over = isinstance(error, FetchFailed) and attempts >= FETCHES
            if not is_over and datetime.now(UTC) - record.received_at < _LONGEST:
                log.warning("%s Trying again.", error)
                raise TryAgain(next_moment(error, attempts)) from error
        elif not isinstance(error, BackportError):
            log.error("The work that a delivery asks for failed.", exc_info=error)
            if attempts < BREAKDOWNS:
                raise TryAgain(next_moment(error, attempts)) from error
        log.warning("The delivery is given up: %s", error)

    def _reply(self, record: Delivery, error: Exception) -> None:
        """Tell whoever asked. If that cannot be told either, the log has it."""
        place = f"delivery {record.name}"
        try:
            repository = self._repositories.find(record.trigger.repository, record.repository_id)
            if repository is not None:
                with self._repositories.lend(repository.name) as context:
                    refuse(
                        record.trigger,
                        as_backport_error(error, "this request", retry="", place=place),
                        for_a_job(context),
                    )
        except Exception as unanswered:
            log.warning("Whoever asked could not be told: %s", unanswered)

    def _serve(self, record: Delivery, fence: Fence) -> None:
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
            with fenced(for_a_job(context), fence) as fenced_context:
                summary = serve(record.trigger, fenced_context, recorder)
            recorder.begin(summary)
        if not summary.under_way:
            self._on_results(summary.results)
