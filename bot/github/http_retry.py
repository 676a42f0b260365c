"""Retries HTTP requests, by one rule for all of them.

A request that GitHub refused for a rate limit had no effect: it is repeated after the pause that GitHub names. A
request whose answer was lost is repeated only if it is idempotent. A POST is not assumed to be: its caller looks first.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from urllib3 import BaseHTTPResponse, Retry
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import MaxRetryError

from bot.github.rate_limits import pause_of

log = logging.getLogger(__name__)

# Our PATCH and PUT requests set values, so that sending them twice changes nothing.
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
_LIMIT_STATUS = (403, 429)
_TRANSIENT = (500, 502, 503, 504)
_ATTEMPTS = 3


def _allow() -> None:
    return


@dataclass(slots=True)
class Gate:
    """`check` is called directly before each attempt to send a request; what it raises ends the request unsent."""

    check: Callable[[], None] = _allow


class GitHubRetry(Retry):
    """urllib3's retries, with our rule for what may be repeated. `longest_wait` (seconds) bounds all pauses.

    Each further attempt passes the `gate`.
    """

    def __init__(
        self,
        *,
        longest_wait: float,
        gate: Gate | None = None,
        waited: float = 0.0,
        **settings: Any,  # noqa: ANN401 - urllib3's
    ) -> None:
        defaults = {
            "total": _ATTEMPTS,
            "backoff_factor": 0.5,
            "allowed_methods": _REPEATABLE,
            "status_forcelist": _TRANSIENT,
            "respect_retry_after_header": False,
            "raise_on_status": False,
        }
        super().__init__(**{**defaults, **settings})
        self.longest_wait, self.waited, self.gate = longest_wait, waited, gate or Gate()

    def new(self, **changes: Any) -> Self:  # noqa: ANN401 - urllib3's
        """Copy with changes, as urllib3 asks for each attempt."""
        ours = {"longest_wait": self.longest_wait, "waited": self.waited, "gate": self.gate}
        return super().new(**{**ours, **changes})

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """Say whether `increment` is to decide about an answer."""
        return status_code in _LIMIT_STATUS or super().is_retry(method, status_code, has_retry_after)

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        """Count an attempt, or raise if there must be no other: the answer then goes to the caller as it is."""
        if response is None or response.status not in _LIMIT_STATUS:
            return super().increment(method, url, response, error, _pool, _stacktrace)
        pause = pause_of(response.headers)
        if pause is None or self.waited + pause > self.longest_wait:
            raise MaxRetryError(_pool, url, None)  # type: ignore[arg-type]  # urllib3 passes the pool it has
        log.info("GitHub's rate limit: waiting %.0f s", pause)
        time.sleep(pause)
        return self.new(waited=self.waited + max(pause, 1.0))

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        """Pause before the next attempt; `increment` has paused already if a limit was hit."""
        if response is None or response.status not in _LIMIT_STATUS:
            super().sleep(response)
        self.gate.check()
