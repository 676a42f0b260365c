"""How a job waits for GitHub: it ends, and is run again later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.errors import BackportError, RateLimited
from bot.models import TargetOutcome
from bot.pipeline.context import RepositoryContext

OnResults = Callable[[tuple[TargetOutcome, ...]], None]
"""Gets the outcomes of a request that has ended."""

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=10)


def for_a_job(context: RepositoryContext) -> RepositoryContext:
    """Return the context of a job: it comes back to what GitHub does not know yet, in place of waiting for it."""
    return replace(context, pauses=(), retries_later=True)


def next_moment(error: BackportError, attempts: int) -> datetime:
    """Return when to ask GitHub again after an error; `attempts` counts those before it."""
    if isinstance(error, RateLimited):
        return max(error.retry_at, datetime.now(UTC) + _FIRST_PAUSE)
    # The exponent is bounded, as a day has many attempts.
    return datetime.now(UTC) + min(_FIRST_PAUSE * (1 << min(attempts, 10)), _LONGEST_PAUSE)
