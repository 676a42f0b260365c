"""How GitHub says that a rate limit was hit, and until when.

Primary limits come as 403 or 429 with `x-ratelimit-remaining: 0`, secondary ones as 403 or 429 with `retry-after`, or
with nothing but a sentence. GraphQL answers 200 to either and tells it in the body: by an error of the type
RATE_LIMITED, or by the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

# GitHub's own advice where a secondary limit comes without a retry-after header: wait at least a minute.
_SECONDARY_WAIT = timedelta(seconds=60)


def is_limit(status: int, headers: Mapping[str, str], said: str) -> bool:
    """Say whether an answer is about a limit and not about permissions. `status` is 400 for a failed GraphQL query."""
    if status == 429:
        return True
    worded = re.search(r"rate.limit", said, re.IGNORECASE) is not None
    return worded if status == 400 else status == 403 and (worded or pause_of(headers) is not None)


def retry_at(headers: Mapping[str, str]) -> datetime:
    """Return the moment from which it may be tried again."""
    pause = pause_of(headers)
    return datetime.now(UTC) + (_SECONDARY_WAIT if pause is None else timedelta(seconds=pause))


def pause_of(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the headers ask to wait; None where they do not speak of a limit."""
    lower = {name.lower(): value for name, value in headers.items()}
    after, reset = lower.get("retry-after", ""), lower.get("x-ratelimit-reset", "")
    if after.isdigit():
        return float(after)
    if lower.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(0.0, float(reset) - datetime.now(UTC).timestamp()) + 1.0
    return None
