"""Handles requests whose webhook was lost: those that never got a reply, and those due at a merge.

It reads GitHub itself; a webhook is only a hint that something changed. It can run at any time and as often as needed:
requests with a reply are left alone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from bot.errors import BackportError, NotYetKnown, RateLimited, Unavailable
from bot.handlers.backport import RunTargets, run_targets
from bot.handlers.deferred import deferred_requests, requests_started_since, unanswered_requests
from bot.handlers.request_summary import RequestSummary
from bot.handlers.serve_trigger import serve_group
from bot.models import TargetOutcome
from bot.pipeline.context import RepositoryContext
from bot.pipeline.request_storage import LONGEST
from bot.text.markdown import count

_LONGEST = LONGEST


def reconcile(context: RepositoryContext, *, since: datetime) -> tuple[TargetOutcome, ...]:
    """Handle the open requests of the pull requests that changed since then; one that fails does not stop the others.

    Raises:
        RateLimited, Unavailable: GitHub does not answer; run it again later.
    """
    results: list[TargetOutcome] = []
    for number in tuple(context.github.changed_since(since)):
        try:
            results += reconcile_pull_request(number, replace(context, pauses=(), retries_later=True)).results
        except NotYetKnown as error:
            context.progress(f"#{number}: {error.message} It is looked at again the next time.")
        except (RateLimited, Unavailable):
            raise
        except BackportError as error:
            context.progress(f"#{number}: {error.message}")
    return tuple(results)


def reconcile_pull_request(number: int, context: RepositoryContext, run: RunTargets = run_targets) -> RequestSummary:
    """Handle the open requests of one pull request, except those that another process handles.

    Raises:
        BackportError: see `reconcile`.
    """
    conversation = context.github.conversation(number)
    busy = requests_started_since(conversation, datetime.now(UTC) - _LONGEST, context)
    list_requests = deferred_requests if conversation.pull_request.merged else unanswered_requests
    groups = list_requests(conversation, context)
    groups = tuple(group for group in groups if not any(request.source.key in busy for request in group))
    if groups:
        context.progress(f"#{number}: {count(len(groups), 'request')} to serve")
    return sum((serve_group(group, context, run) for group in groups), RequestSummary())
