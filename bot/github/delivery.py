"""Calls to GitHub that may fail halfway: what is waited for, what is made once more, what is only logged.

Owns how often a call is made. A thing is looked up before it is made, and again after an answer that leaves it in
doubt, so that none is made twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

from bot.errors import GitHubError, NotYetKnown, RateLimited, Unavailable, ValidationFailed
from bot.github.translate import translate_errors

log = logging.getLogger(__name__)

T = TypeVar("T")


_EARLY_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each further attempt at what GitHub does not know yet. It mostly takes one or two."""


def _pause_after(refusal: RateLimited | NotYetKnown, early: Iterator[float]) -> float | None:
    if isinstance(refusal, NotYetKnown):
        return next(early, None)
    return max(1.0, (refusal.retry_at - datetime.now(UTC)).total_seconds())


def sendable(text: str) -> str:
    """Return a text as JSON can hold it: a lone surrogate, as git's bytes decode to, becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


class RetryingCaller:
    """Makes calls for one account. `longest_wait` (seconds) bounds how long a call waits for GitHub to take it."""

    def __init__(self, longest_wait: float) -> None:
        self._longest_wait = longest_wait

    def find_or_create(self, find: Callable[[], T | None], create: Callable[[], T]) -> T:
        """Return what `find` sees, or what `create` makes; raises what the last call of either raised."""
        found = self.wait_and_call(find)
        if found is not None:
            return found
        try:
            return self.wait_and_call(create)
        except NotYetKnown:
            raise
        except (Unavailable, ValidationFailed) as error:
            # The answer was lost and the effect perhaps not, or somebody was quicker: only a look tells.
            found = self.wait_and_call(find)
            if found is None and isinstance(error, ValidationFailed):
                raise
            return found if found is not None else self.wait_and_call(create)

    def wait_and_call(self, call: Callable[[], T]) -> T:
        """Wait for a rate limit to pass, and until GitHub knows what it was just told, both as long as allowed.

        A call refused for either had no effect.
        """
        waited, early = 0.0, iter(_EARLY_PAUSES)
        while True:
            try:
                return call()
            except (RateLimited, NotYetKnown) as refusal:
                pause = _pause_after(refusal, early)
                if pause is None or waited + pause > self._longest_wait:
                    raise
                log.info("%s Waiting %.0f s.", refusal, pause)
                time.sleep(pause)
                waited += pause

    def retry_once(self, call: Callable[[], T]) -> T:
        """Make a call that may be made twice once more where its answer was lost: a GraphQL call, or an addition."""
        try:
            return self.wait_and_call(call)
        except NotYetKnown:
            raise
        except Unavailable:
            return self.wait_and_call(call)

    def best_effort(self, action: str, call: Callable[[], object]) -> GitHubError | None:
        """Make a call whose failure stops nothing: it is logged under `action`, and returned."""

        def attempt() -> None:
            with translate_errors(action):
                call()

        try:
            self.retry_once(attempt)
        except GitHubError as error:
            log.warning("%s", error)
            return error
        return None
