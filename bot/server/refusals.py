"""Logs refused deliveries so that nobody fills the disk with them: anybody can send what is refused."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

_SECONDS = 60.0
"""At most one line of a kind in that time."""


class Refusals:
    """Logs the first refusal of each status in a minute, with the number of those since the line before."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._next: dict[int, float] = {}
        self._silent: dict[int, int] = {}

    def log(self, status: int, reason: str, **about: str) -> None:
        """Log a refusal, or only count it."""
        with self._lock:
            if self._clock() < self._next.get(status, float("-inf")):
                self._silent[status] = self._silent.get(status, 0) + 1
                return
            self._next[status] = self._clock() + _SECONDS
            more = self._silent.pop(status, 0)
        log.warning("A delivery was refused: %s.", reason, extra={**about, "status": status, "not_logged": more})
