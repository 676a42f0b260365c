"""The address of a remote with its token, and what is tried again if the connection to it fails."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from git import PushInfo

from bot.git.environment import authorization
from bot.git.process import ProcessResult
from bot.models import Progress, silent

REMOTE = "origin"
PROJECT_REMOTES = ("upstream", REMOTE)
"""The remotes of a clone that are looked at, in this order: in a clone of a fork, `upstream` is the project."""
# curl's and git's fixed words for a failure of the connection or the server; the locale is always C.
_CONNECTION = re.compile(
    r"error: (?:429|5\d\d)\b|HTTP (?:429|5\d\d)\b|reset by peer|[Ee]mpty reply|timed out|Operation too slow"
    r"|early EOF|unexpected disconnect|hung up unexpectedly|Could not resolve host"
)
_BUSY = re.compile(r"\[remote rejected\] \((?:Internal Server Error|failed to lock|failure)\)", re.IGNORECASE)
"""What GitHub answers for a branch if its storage did not answer in time."""
_DENIED = re.compile(r"error: 40[13]\b|Authentication failed|could not read (Username|Password)|Permission denied")
_CORRUPT = re.compile(r"possible repository corruption on the remote side")
"""git's words for objects that its own repository lacks: https://github.com/git/git/blob/master/upload-pack.c"""
_PAUSES = (1.0, 4.0)
"""Seconds before the second and third attempt."""

Token = str | Callable[[], str]


@dataclass(slots=True)
class Connection:
    """A remote by its name in the mirror's configuration, its address, and the token that is for that address alone."""

    name: str = REMOTE
    url: str = ""
    token: Token | None = field(default=None, repr=False)
    progress: Progress = silent

    def authorization(self) -> Mapping[str, str]:
        """Return the variables with the token, as it is now, for a process that talks to the remote."""
        token = self.token() if callable(self.token) else self.token
        return authorization(self.url, token) if token else {}


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command that talks to the remote ended; `info` is the remote's answer for the branch, if it gave one."""

    result: ProcessResult
    info: PushInfo | None = None

    @property
    def summary(self) -> str:
        return self.info.summary.strip() if self.info else ""

    @property
    def is_lost(self) -> bool:
        """Whether the connection or the server failed, so that another attempt may succeed."""
        messages = self.result.stderr
        is_lost = _CONNECTION.search(messages) or _BUSY.search(self.summary) or _is_throttled(messages)
        return bool(self.result.code and is_lost)


def _is_throttled(messages: str) -> bool:
    """Say whether a refusal gives no reason: GitHub says why a token may not do something, and not that it is busy."""
    return "error: 403" in messages and "remote:" not in messages


def is_denied(messages: str) -> bool:
    """Say whether git's messages are about a token that may not do this."""
    return bool(_DENIED.search(messages))


def is_corrupt(messages: str) -> bool:
    """Say whether git's messages are about objects that the remote itself lacks, which no later fetch brings."""
    return bool(_CORRUPT.search(messages))


def retry(attempt: Callable[[], Answer]) -> Answer:
    """Run a command that talks to the remote; up to three times if the connection fails.

    A push may be repeated as well: it names the tip that it replaces, so that a second one cannot replace more.
    """
    for pause in _PAUSES:
        answer = attempt()
        if not answer.is_lost:
            return answer
        time.sleep(pause)
    return attempt()
