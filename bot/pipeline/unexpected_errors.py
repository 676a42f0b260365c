"""Turns errors into outcomes: an error stops one target branch, shows one sentence, and logs its traceback."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from bot.commands.parser import Command
from bot.errors import TEMPORARY, BackportError, FetchFailed, NotOpened
from bot.models import Failed

ResultT = TypeVar("ResultT")

log = logging.getLogger(__name__)


def capture_errors(
    target: str, step: Callable[[], ResultT], *, retry: Command | None = None, except_silence: bool = False
) -> ResultT | Failed:
    """Run a step of one target branch; any error becomes the branch's outcome and stops no other branch.

    `retry` is the command by which a person asks for the branch again; none if the next run does.

    Raises:
        RateLimited, Unavailable, BadCredentials, FetchFailed: only with `except_silence`: GitHub may answer later.
    """
    try:
        return step()
    # Every exception, also one of a library: the other branches of the request must go on.
    except Exception as error:
        silence = _silence(error) if except_silence else None
        if silence is not None:
            raise silence from error
        return failed_outcome(target, error, retry=str(retry or ""))


def _silence(error: Exception) -> Exception | None:
    """Return the error by which GitHub did not answer, if it is this one, or what was behind a refused opening."""
    cause = error.__cause__ if isinstance(error, NotOpened) else error
    return cause if isinstance(cause, (*TEMPORARY, FetchFailed)) else None


def failed_outcome(target: str, error: Exception, *, retry: str, place: str = "") -> Failed:
    """Return the outcome of a target branch that an error stopped; see `as_backport_error`."""
    message = as_backport_error(error, f"the work on {target}", retry=retry, place=place)
    return Failed(target=target, message=message.message, hint=message.hint)


def as_backport_error(error: Exception, work: str, *, retry: str, place: str = "") -> BackportError:
    """Return an error that can be shown; an unexpected one is logged with its traceback. `work` is what it stopped.

    `retry` is the command that asks again, or empty. `place` names what the lines in the log are about.

    The sentence names the kind of an unexpected error and nothing else: its text may hold anything.
    """
    if isinstance(error, BackportError):
        return error
    log.error("An unforeseen error stopped %s", work, exc_info=error)
    return BackportError(
        f"An error in the bot itself ({type(error).__name__}) stopped {work}.",
        hint=f"The bot's log has the traceback{f' ({place})' if place else ''}, for its operator. "
        + (f"Then comment `{retry}` again." if retry else "The next run tries again."),
    )
