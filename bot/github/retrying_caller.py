"""Repeats calls to GitHub that failed halfway, if that is safe.

A thing is looked up before it is created, and again after an answer that leaves the effect in doubt, so that none is
created twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

from bot.errors import GitHubError, NotYetKnown, RateLimited, Unavailable, ValidationFailed
from bot.github.translate_errors import translate_errors

log = logging.getLogger(__name__)

T = TypeVar("T")


_EARLY_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each further attempt if GitHub does not know yet what was just pushed. It mostly takes one or two."""


def _pause_after(refusal: RateLimited | NotYetKnown, early_pauses: Iterator[float]) -> float | None:
    if isinstance(refusal, NotYetKnown):
        return next(early_pauses, None)
    return max(1.0, (refusal.retry_at - datetime.now(UTC)).total_seconds())


def sendable(text: str) -> str:
    """Return a text that JSON can hold: a lone surrogate, from bytes that are not UTF-8, becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


class RetryingCaller:
    """Makes calls for one account. `longest_wait` (seconds) bounds how long a call waits until GitHub accepts it."""

    def __init__(self, longest_wait: float) -> None:
        self._longest_wait = longest_wait

    def find_or_create(self, find: Callable[[], T | None], create: Callable[[], T]) -> T:
        """Return what `find` returns, or else what `create` returns; raises the last call's error."""
        value = self.wait_and_call(find)
        return value if value is not None else self.create_or_find(create, find)

    def create_or_find(self, create: Callable[[], T], find: Callable[[], T | None]) -> T:
        """Do the same without looking first: for what GitHub itself refuses to create twice."""
        try:
            return self.wait_and_call(create)
        except NotYetKnown:
            raise
        except (Unavailable, ValidationFailed) as error:
            # The answer was lost, perhaps not the effect; or another process was quicker. Looking decides.
            value = self.wait_and_call(find)
            if value is None and isinstance(error, ValidationFailed):
                raise
            return value if value is not None else self.wait_and_call(create)

    def wait_and_call(self, call: Callable[[], T]) -> T:
        """Make a call; wait for a rate limit to pass, and until GitHub knows what was just pushed, as long as allowed.

        A call that is refused for either reason has no effect.
        """
        total, early_pauses = 0.0, iter(_EARLY_PAUSES)
        while True:
            try:
                return call()
            except (RateLimited, NotYetKnown) as refusal:
                pause = _pause_after(refusal, early_pauses)
                if pause is None or total + pause > self._longest_wait:
                    raise
                log.info("%s Waiting %.0f s.", refusal, pause)
                time.sleep(pause)
                total += pause

    def retry_once(self, call: Callable[[], T]) -> T:
        """Make an idempotent call, and repeat it once if its answer was lost: a GraphQL call, or an addition."""
        try:
            return self.wait_and_call(call)
        except NotYetKnown:
            raise
        except Unavailable:
            return self.wait_and_call(call)

    def best_effort(self, action: str, call: Callable[[], object]) -> GitHubError | None:
        """Make a call whose failure stops nothing: the error is logged under `action` and returned."""

        def attempt() -> None:
            with translate_errors(action):
                call()

        try:
            self.retry_once(attempt)
        except GitHubError as error:
            log.warning("%s", error)
            return error
        return None
