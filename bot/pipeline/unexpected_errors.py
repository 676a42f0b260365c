"""Errors that are the bot's own fault: they end what they stopped, with a sentence, and their traceback is logged."""

from __future__ import annotations

import logging

from bot.errors import BackportError
from bot.models import Failed

log = logging.getLogger(__name__)


def failed(branch: str, error: Exception, *, retry: str) -> Failed:
    """Return how a target branch ended that an error stopped; `retry` is the command that asks again, if one does."""
    described = as_error(error, f"the work on {branch}", retry=retry)
    return Failed(branch=branch, message=described.message, hint=described.hint)


def as_error(error: Exception, stopped: str, *, retry: str) -> BackportError:
    """Return an error that can be shown; one that nobody foresaw is logged.

    The sentence names the kind of an unforeseen error and nothing else: its text may hold anything.
    """
    if isinstance(error, BackportError):
        return error
    log.error("An unforeseen error stopped %s", stopped, exc_info=error)
    return BackportError(
        f"An error in the bot itself ({type(error).__name__}) stopped {stopped}.",
        hint="The bot's log has the traceback, for whoever runs it. "
        + (f"Then comment `{retry}` again." if retry else "The next run tries again."),
    )
