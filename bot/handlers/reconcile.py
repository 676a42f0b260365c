"""What webhooks did not tell: requests that were never answered, and those that a merge made due.

Owns the look at GitHub itself, which is the truth; a webhook is only a hint that it changed. Safe to run at any time
and as often as one likes: what was answered is left alone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from bot.errors import BackportError, NotYetKnown, RateLimited, Unavailable
from bot.handlers.comment import carry_all, serve_group
from bot.handlers.deferred import due, started_since, unanswered
from bot.models import TargetResult
from bot.pipeline.context import Workplace
from bot.pipeline.request_storage import LONGEST
from bot.text.markdown import count

_LONGEST = LONGEST


def reconcile(at: Workplace, *, since: datetime) -> tuple[TargetResult, ...]:
    """Serve what is open on the pull requests that changed since then; one that fails never stops the others.

    Raises:
        RateLimited, Unavailable: GitHub does not answer; run it again later.
    """
    results: list[TargetResult] = []
    for number in tuple(at.github.changed_since(since)):
        try:
            results += _reconcile_one(number, replace(at, pauses=(), comes_back=True))
        except NotYetKnown as error:
            at.progress(f"#{number}: {error.message} It is looked at again the next time.")
        except (RateLimited, Unavailable):
            raise
        except BackportError as error:
            at.progress(f"#{number}: {error.message}")
    return tuple(results)


def _reconcile_one(number: int, at: Workplace) -> list[TargetResult]:
    original = at.github.pull_request(number)
    busy = started_since(number, datetime.now(UTC) - _LONGEST, at)
    groups = due(original, at) if original.merged else unanswered(original, at)
    groups = tuple(group for group in groups if not any(request.asked.key in busy for request in group))
    if groups:
        at.progress(f"#{number}: {count(len(groups), 'request')} to serve")
    return [result for group in groups for result in serve_group(group, at, carry_all).results]
