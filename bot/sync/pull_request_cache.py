"""What GitHub knows of pull requests, as far as sync needs it, kept from one run to the next.

Owns the record of pull requests: read page by page, the newest change first, down to what is known. Without a GitHub
there is none of it, and git alone is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import takewhile

from bot.history.store import HistoryStore
from bot.models import ListedPullRequest

_TOPIC = "pull request"
_SINCE = "pull requests since"


def refresh(
    store: HistoryStore, newest_first: Iterable[ListedPullRequest], since: int
) -> Mapping[int, ListedPullRequest]:
    """Take in what changed since the last time, or since `since` where that was not asked for before.

    Returns all that is known. What is interrupted is read again the next time.
    """
    known = load(store)
    oldest = store.cached_result(_SINCE, "seconds")
    complete = oldest is not None and oldest <= since
    # Two changes may share a second, so the newest one known is read again.
    until = max((pull.updated for pull in known.values()), default=since) if complete else since
    changed = {pull.number: pull for pull in takewhile(lambda pull: pull.updated >= until, newest_first)}
    store.keep_results(_TOPIC, {str(number): asdict(pull) for number, pull in changed.items()})
    if not complete:
        store.keep_results(_SINCE, {"seconds": since})
    return {**known, **changed}


def load(store: HistoryStore) -> dict[int, ListedPullRequest]:
    """Return what is known."""
    return {
        int(number): ListedPullRequest(**{**kept, "labels": tuple(kept["labels"])})
        for number, kept in store.cached_results(_TOPIC).items()
    }
