"""Lets repositories take turns in a queue, and lets no job wait for ever.

A job counts as if it had come a quarter of an hour later for each job of its repository that waits already. So whoever
asks for much does not hold up the others, and is overtaken only by what comes soon after.
"""

from __future__ import annotations

import time

_EACH = 15 * 60
"""Seconds: what a long proof takes."""
_BEGINNING = 1_767_225_600
"""2026-01-01 as seconds since the epoch: a priority has 31 bits."""


def seconds() -> float:
    """Return the present moment as seconds since the epoch."""
    return time.time()


def priority(waiting: int) -> int:
    """Return the priority of a job, before which so many of its repository wait. The highest is taken first."""
    return _BEGINNING - int(seconds()) - waiting * _EACH
