"""The hidden markers by which we find what we wrote.

Owns their spelling. A marker is an HTML comment that GitHub keeps and does not show; a value in one is percent-encoded,
so no branch name can end the comment early or forge another key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote

from bot.model import Sha

_OPENING = "<!-- backport-bot:"
_STATUS = re.compile(r"<!-- backport-bot:status:(\S+) -->")
_KEPT = re.compile(_STATUS.pattern.replace("(", "(?:") + r"\n<!-- backport-bot:(remembered|started):(\S+) -->")
_PULL_REQUEST = re.compile(
    r"^<!-- backport-bot:pull-request repository=(\S+) commit=([0-9a-f]{40}) target=(\S+) -->$", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackportKey:
    """What a backport pull request is found again by: at most one exists for each key."""

    repository: str
    commit: Sha
    target: str


def is_ours(body: str) -> bool:
    """Say whether a text carries a marker of ours."""
    return _OPENING in body


def status_marker(key: str) -> str:
    """Return the marker of a status comment; the same `key` finds the same comment."""
    return f"{_OPENING}status:{_encode(key)} -->"


def status_key(body: str) -> str | None:
    """Read the key back out of a status comment or answer, whose first line is its marker; None for other texts."""
    found = _STATUS.match(body)
    return unquote(found.group(1)) if found else None


class Kept(StrEnum):
    """Why an answer keeps the command that it answers: the merge is waited for, or work on it has begun."""

    REMEMBERED = "remembered"
    STARTED = "started"


def keep_command(body: str, kept: Kept, command: str) -> str:
    """Put a command, as it was typed, into a hidden line under the status marker of an answer."""
    marker, _, rest = body.partition("\n")
    return f"{marker}\n{_OPENING}{kept.value}:{_encode(command)} -->\n{rest}"


def kept_command(body: str) -> tuple[Kept, str] | None:
    """Read a kept command back; None where the answer keeps none. Only the second line counts: below others speak."""
    found = _KEPT.match(body.replace("\r\n", "\n"))
    return (Kept(found.group(1)), unquote(found.group(2))) if found else None


def conflict_marker() -> str:
    """Return the line that says of a backport pull request that it was opened with a conflict in it."""
    return f"{_OPENING}conflict -->"


def is_conflict(body: str) -> bool:
    """Say whether a backport pull request's body holds that line."""
    return conflict_marker() in body.replace("\r\n", "\n").split("\n")


def tracking_marker(branch: str) -> str:
    """Return the marker of the tracking issue of a branch."""
    return f"{_OPENING}tracking:{_encode(branch)} -->"


def pull_request_marker(key: BackportKey) -> str:
    """Return the marker that stands in a backport pull request's body."""
    return (
        f"{_OPENING}pull-request repository={_encode(key.repository)} commit={key.commit} "
        f"target={_encode(key.target)} -->"
    )


def parse_pull_request_marker(body: str) -> BackportKey | None:
    """Read the key back out of a pull request's body; None where it has no whole marker on a line of its own.

    The last one counts: ours ends the body, and what stands above it may quote anything.
    """
    found = _PULL_REQUEST.findall(body.replace("\r\n", "\n"))
    if not found:
        return None
    repository, commit, target = found[-1]
    return BackportKey(repository=unquote(repository), commit=Sha(commit), target=unquote(target))


def _encode(value: str) -> str:
    # An HTML comment ends at "-->" and may not hold "--"; quote() leaves dashes alone.
    return quote(value, safe="/").replace("--", "-%2D")
