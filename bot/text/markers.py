"""The hidden markers by which we find what we wrote.

Owns their spelling. A marker is an HTML comment that GitHub keeps and does not show; a value in one is percent-encoded,
so no branch name can end the comment early or forge another key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote

from bot.models import Sha

_OPENING = "<!-- backport-bot:"
_SIGNATURE = "[0-9a-f]{64}"
_STATUS = re.compile(rf"<!-- backport-bot:status:([^\s:]+)(?::({_SIGNATURE}))? -->")
_KEPT = re.compile(
    rf"[^\n]*\n<!-- backport-bot:(remembered|started):(\S+)"
    rf"(?: by=(\S+) at=(\d{{1,12}})(?: run=(\d{{1,20}}))?(?: signature=({_SIGNATURE}))?)? -->"
)
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


def status_marker(key: str, signature: str = "") -> str:
    """Return the first line of a status comment or answer; the same `key` finds the same comment.

    It is signed where others write in the name of the bot's account.
    """
    return f"{_OPENING}status:{_encode(key)}{signature and ':' + signature} -->"


def status_key(body: str) -> tuple[str, str] | None:
    """Read key and signature back out of a comment whose first line is such a marker; None for other texts."""
    found = _STATUS.match(body)
    return (unquote(found[1]), found[2] or "") if found else None


class Kept(StrEnum):
    """Why an answer keeps the command that it answers: the merge is waited for, or work on it has begun."""

    REMEMBERED = "remembered"
    STARTED = "started"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCommand:
    """A command in the hidden second line of an answer, as it was typed, until it has ended.

    `at` is when it was kept (seconds since the epoch), `run` the run of a CI that works on it. One that an early
    version of the bot kept names no `requester` and has no signature.
    """

    kept: Kept
    command: str
    requester: str = ""
    at: int = 0
    run: str = ""
    signature: str = ""


def keep_command(body: str, kept: KeptCommand) -> str:
    """Put a command into a hidden line under the status marker of an answer."""
    marker, _, rest = body.partition("\n")
    run, signature = kept.run and f" run={kept.run}", kept.signature and f" signature={kept.signature}"
    details = f" by={_encode(kept.requester)} at={kept.at}{run}{signature}" if kept.requester else ""
    return f"{marker}\n{_OPENING}{kept.kept.value}:{_encode(kept.command)}{details} -->\n{rest}"


def kept_command(body: str) -> KeptCommand | None:
    """Read a kept command back; None where the answer keeps none. Only the second line counts: below others speak."""
    found = _KEPT.match(body.replace("\r\n", "\n"))
    if found is None or _STATUS.match(body) is None:
        return None
    kept, command, requester, at, run, signature = found.groups()
    return KeptCommand(
        kept=Kept(kept),
        command=unquote(command),
        requester=unquote(requester or ""),
        at=int(at or 0),
        run=run or "",
        signature=signature or "",
    )


def note_branches(body: str, states: Mapping[str, str]) -> str:
    """Put how each target branch stands into a hidden last line: to be told again, never to act on."""
    noted = "".join(f" {_encode(branch)}={_encode(state)}" for branch, state in states.items())
    return f"{body.rstrip()}\n\n{_OPENING}branches{noted} -->\n"


def noted_branches(body: str) -> dict[str, str]:
    """Read back how each target branch stands; empty for comments that are no status comments."""
    line = body.rstrip().replace("\r\n", "\n").rpartition("\n")[2]
    if not (line.startswith(f"{_OPENING}branches ") and line.endswith(" -->")):
        return {}
    pairs = (word.partition("=") for word in line.split(" ")[2:-1])
    return {unquote(branch): unquote(state) for branch, _, state in pairs}


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
