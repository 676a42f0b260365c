"""How a job waits for GitHub: it ends, and is run again later."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg

from bot.errors import BackportError, RateLimited
from bot.models import TargetOutcome
from bot.pipeline.context import RepositoryContext

log = logging.getLogger(__name__)


class LostTooOften(BackportError):
    """A step that was begun again and again has come to no end, as if it killed the process."""


OnResults = Callable[[tuple[TargetOutcome, ...]], None]
"""Gets the outcomes of a request that has ended."""

FETCHES = 8
"""Attempts, over half an hour: a fetch that fails so often does not fail because GitHub was busy."""
BREAKDOWNS = 4
"""Further attempts after an error that nobody foresaw; then whoever asked is told."""
_LOSSES = 10
"""Processes that may end in the middle of one step: by a restart, or by another step that they were taking."""
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=10)


def for_a_job(context: RepositoryContext) -> RepositoryContext:
    """Return the context of a job: it comes back to what GitHub does not know yet, in place of waiting for it."""
    return replace(context, pauses=(), retries_later=True)


def check_losses(losses: int) -> None:
    """Raise LostTooOften if too many processes have ended while they did one thing."""
    if losses >= _LOSSES:
        raise LostTooOften(
            f"The bot's process ended {losses} times in a row in the middle of this, so it is not tried again.",
            hint="Its operator looks at why, for example at the memory that the machine has; then ask again.",
        )


def database_moment(error: psycopg.Error) -> datetime:
    """Return when to go on after a database that refused or did not answer: it is no fault of the work."""
    log.warning("The database refused (%s). Trying again.", error)
    return datetime.now(UTC) + _FIRST_PAUSE


def next_moment(error: Exception, attempts: int) -> datetime:
    """Return when to ask GitHub again after an error; `attempts` counts those before it."""
    if isinstance(error, RateLimited):
        return max(error.retry_at, datetime.now(UTC) + _FIRST_PAUSE)
    # The exponent is bounded, as a day has many attempts.
    return datetime.now(UTC) + min(_FIRST_PAUSE * (1 << min(attempts, 10)), _LONGEST_PAUSE)
