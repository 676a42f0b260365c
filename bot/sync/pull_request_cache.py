"""Pull requests as GitHub lists them, kept from one run to the next.

A run reads them page by page, the latest change first, and stops at the first one that has not changed.
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
    """Store the pull requests that changed since the last run, or since `since` if no run went back that far.

    Returns all in the store, by number. An interrupted run is read again the next time.
    """
    pulls = load(store)
    oldest = store.cached_result(_SINCE, "seconds")
    complete = oldest is not None and oldest <= since
    # Two changes may share a second, so the latest one in the store is read again.
    until = max((pull.updated for pull in pulls.values()), default=since) if complete else since
    changes = {pull.number: pull for pull in takewhile(lambda pull: pull.updated >= until, newest_first)}
    store.keep_results(_TOPIC, {str(number): asdict(pull) for number, pull in changes.items()})
    # Last, so that an interrupted run does not look complete.
    if not complete:
        store.keep_results(_SINCE, {"seconds": since})
    return {**pulls, **changes}


def load(store: HistoryStore) -> dict[int, ListedPullRequest]:
    """Return the pull requests in the store by number."""
    return {
        int(number): ListedPullRequest(**{**record, "labels": tuple(record["labels"])})
        for number, record in store.cached_results(_TOPIC).items()
    }
