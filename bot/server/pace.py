"""Keeps the pauses that GitHub asks for between the writes of one account, over all threads and processes of a machine.

A second between writes; of new texts (comments, issues, pull requests) at most 80 a minute and 500 an hour:
https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""

from __future__ import annotations

import fcntl
import json
import time
from dataclasses import dataclass
from pathlib import Path

from bot.environment.data_folder import private_file

_BETWEEN_WRITES = 1.0
_BURST = 80
_BETWEEN_TEXTS = 3600.0 / (500 - _BURST)
"""Seconds between texts when a burst is used up: with the burst, an hour has 500."""


@dataclass(frozen=True, slots=True)
class WritePace:
    """The writes of one account; `path` is where its processes on this machine keep the next free moments."""

    path: Path

    def wait(self, makes_text: bool) -> None:
        """Wait for the turn of a write."""
        time.sleep(self.reserve(time.time(), makes_text))

    def reserve(self, now: float, makes_text: bool) -> float:
        """Take the next turn, and return the seconds until then."""
        with private_file(self.path).open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            next_write, texts = _read(file.read())
            at = max(now, next_write)
            if makes_text:
                # The generic cell rate algorithm: `texts` is when all texts so far would be due one by one.
                texts = max(now, texts) + _BETWEEN_TEXTS
                at = max(at, texts - _BURST * _BETWEEN_TEXTS)
            file.seek(0)
            file.truncate()
            file.write(json.dumps([at + _BETWEEN_WRITES, texts]))
        return at - now


def _read(text: str) -> tuple[float, float]:
    try:
        next_write, texts = json.loads(text)
        return float(next_write), float(texts)
    except (ValueError, TypeError):  # new, or a machine that crashed while it was written
        return 0.0, 0.0
