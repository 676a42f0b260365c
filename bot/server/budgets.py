"""Shares what GitHub lets an account ask in an hour between the repositories that it serves.

GitHub counts the requests of a token, or of an installation of an App, and says in each answer how many are left:
https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum

from bot.errors import RateLimited
from bot.github.rate_limits import Budget


class Purpose(Enum):
    """What a repository is opened for; the value is the part of the limit that is kept for more urgent purposes."""

    READING = 0.3
    """To look for what no webhook told."""
    REQUEST = 0.05
    """To serve what somebody asked for."""
    ANSWER = 0.0
    """To tell how far a request is."""


_SCARCE = 0.5
"""Below this part of the limit, a repository that has used more than this part of it waits."""


@dataclass(slots=True)
class _Hour:
    budgets: dict[str, Budget] = field(default_factory=dict)
    reset: int = 0
    sent: Counter[str] = field(default_factory=Counter)


class Budgets:
    """What is left to each account, by its key. Threads may share it; each process knows what GitHub told it."""

    def __init__(self) -> None:
        self._hours: dict[str, _Hour] = {}
        self._lock = threading.Lock()

    def note(self, account: str, repository: str, sent: int, budgets: Iterable[Budget]) -> None:
        """Note how many requests were sent for a repository, and what GitHub said of the account after that."""
        with self._lock:
            hour = self._hours.setdefault(account, _Hour())
            for budget in budgets:
                hour.budgets[budget.api] = budget
                if budget.api == "rest" and budget.reset > hour.reset:
                    hour.reset = budget.reset
                    hour.sent.clear()
            hour.sent[repository.casefold()] += sent

    def check(self, account: str, repository: str, purpose: Purpose) -> None:
        """Let a purpose pass.

        Raises:
            RateLimited: too little is left for it; it has the moment from which there is more.
        """
        now = time.time()
        with self._lock:
            hour = self._hours.get(account)
            if hour is None:
                return
            for budget in hour.budgets.values():
                if budget.reset > now and self._is_scarce(budget, hour.sent[repository.casefold()], purpose):
                    raise _refusal(budget, repository, purpose)

    def known(self, account: str) -> list[Budget]:
        """Return what GitHub said last of an account, as far as that still holds."""
        now = time.time()
        with self._lock:
            hour = self._hours.get(account)
            return [budget for budget in hour.budgets.values() if budget.reset > now] if hour else []

    def pause(self, account: str, repository: str) -> datetime | None:
        """Return from when on requests are served again; None if they are now."""
        try:
            self.check(account, repository, Purpose.REQUEST)
        except RateLimited as error:
            return error.retry_at
        return None

    def _is_scarce(self, budget: Budget, sent: int, purpose: Purpose) -> bool:
        uses_too_much = purpose is not Purpose.ANSWER and sent > _SCARCE * budget.limit
        kept = max(purpose.value, _SCARCE) if uses_too_much else purpose.value
        return budget.left < kept * budget.limit


def _refusal(budget: Budget, repository: str, purpose: Purpose) -> RateLimited:
    reset = datetime.fromtimestamp(budget.reset, UTC)
    what = "looking for unanswered requests" if purpose is Purpose.READING else "the work"
    return RateLimited(
        f"Of GitHub's {budget.limit} requests an hour {budget.left} are left, so {what} in {repository} goes on at "
        f"{reset:%H:%M} UTC.",
        hint="Nothing need be done.",
        retry_at=reset,
    )
