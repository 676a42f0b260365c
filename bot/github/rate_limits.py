"""Recognizes answers about a rate limit, and reads how long to wait.

Primary limits come as 403 or 429 with `x-ratelimit-remaining: 0`, secondary ones as 403 or 429 with `retry-after`, or
with nothing but a sentence. GraphQL answers 200 to either, with an error of the type RATE_LIMITED or the sentence in
the body. https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

# GitHub's own advice if a secondary limit comes without a retry-after header: wait at least a minute.
_SECONDARY_WAIT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What GitHub's last answer said of a rate limit: requests, and the moment (seconds since the epoch) it is anew."""

    api: Literal["rest", "graphql"]
    left: int
    limit: int
    reset: int


def is_limit(status: int, headers: Mapping[str, str], message: str) -> bool:
    """Say whether an answer is about a limit and not about permissions. `status` is 400 for a failed GraphQL query."""
    if status == 429:
        return True
    in_words = re.search(r"rate.limit", message, re.IGNORECASE) is not None
    return in_words if status == 400 else status == 403 and (in_words or pause_of(headers) is not None)


def retry_at(headers: Mapping[str, str]) -> datetime:
    """Return the moment from which it may be tried again."""
    pause = pause_of(headers)
    return datetime.now(UTC) + (_SECONDARY_WAIT if pause is None else timedelta(seconds=pause))


def pause_of(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait by the headers; None if they name no limit."""
    lower = {name.lower(): value for name, value in headers.items()}
    after, reset = lower.get("retry-after", ""), lower.get("x-ratelimit-reset", "")
    if after.isdigit():
        return float(after)
    if lower.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        # A second more, as the header has whole seconds and the clocks may differ.
        return max(0.0, float(reset) - datetime.now(UTC).timestamp()) + 1.0
    return None
