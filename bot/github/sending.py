"""Calls to GitHub that may fail halfway: what is waited for, what is made once more, what is only logged.

Owns how often a call is made. A thing is looked up before it is made, and again after an answer that leaves it in
doubt, so that none is made twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from bot.errors import GitHubError, RateLimited, Unavailable, ValidationFailed
from bot.github.translate import translated

log = logging.getLogger(__name__)

T = TypeVar("T")


class Sender:
    """Makes calls for one account. `longest_wait` (seconds) bounds how long a rate limit is waited for."""

    def __init__(self, longest_wait: float) -> None:
        self._longest_wait = longest_wait

    def find_or_create(self, find: Callable[[], T | None], create: Callable[[], T]) -> T:
        """Return what `find` sees, or what `create` makes; raises what the last call of either raised."""
        found = self.patiently(find)
        if found is not None:
            return found
        try:
            return self.patiently(create)
        except (Unavailable, ValidationFailed) as error:
            # The answer was lost and the effect perhaps not, or somebody was quicker: only a look tells.
            found = self.patiently(find)
            if found is None and isinstance(error, ValidationFailed):
                raise
            return found if found is not None else self.patiently(create)

    def patiently(self, call: Callable[[], T]) -> T:
        """Wait for a rate limit to pass, as long as allowed; a call refused for a limit had no effect."""
        waited = 0.0
        while True:
            try:
                return call()
            except RateLimited as limit:
                pause = max(1.0, (limit.retry_at - datetime.now(UTC)).total_seconds())
                if waited + pause > self._longest_wait:
                    raise
                log.info("GitHub's rate limit: waiting %.0f s", pause)
                time.sleep(pause)
                waited += pause

    def twice(self, call: Callable[[], T]) -> T:
        """Make a call that may be made twice once more where its answer was lost: a GraphQL call, or an addition."""
        try:
            return self.patiently(call)
        except Unavailable:
            return self.patiently(call)

    def best_effort(self, action: str, call: Callable[[], object]) -> None:
        """Make a call whose failure stops nothing; it is logged under `action`."""

        def attempt() -> None:
            with translated(action):
                call()

        try:
            self.twice(attempt)
        except GitHubError as error:
            log.warning("%s", error)
