"""Writes and reads the hidden markers in what the bot writes on GitHub.

A marker is an HTML comment, which GitHub keeps and does not show. Its values are percent-encoded, so no branch name can
end the comment early or forge another key.
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
_RECORD = re.compile(
    rf"[^\n]*\n<!-- backport-bot:(remembered|started):(\S+)"
    rf"(?: by=(\S+) at=(\d{{1,12}})(?: run=(\d{{1,20}}))?(?: signature=({_SIGNATURE}))?)? -->"
)
_PULL_REQUEST = re.compile(
    r"^<!-- backport-bot:pull-request repository=(\S+) commit=([0-9a-f]{40}) target=(\S+) -->$", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackportKey:
    """Identifies a backport pull request. At most one exists for each key."""

    repository: str
    commit: Sha
    target: str


def is_ours(body: str) -> bool:
    """Return whether a text has a marker of the bot."""
    return _OPENING in body


def status_marker(key: str, signature: str = "") -> str:
    """Return the first line of a status comment or reply. The same `key` finds the same comment.

    It is signed if others write in the name of the bot's account.
    """
    return f"{_OPENING}status:{_encode(key)}{signature and ':' + signature} -->"


def status_key(body: str) -> tuple[str, str] | None:
    """Read key and signature from the first line of a comment; None if the line is no such marker."""
    match = _STATUS.match(body)
    return (unquote(match[1]), match[2] or "") if match else None


class RecordState(StrEnum):
    """Why a reply records its command: the command waits for the merge, or the bot has started on it."""

    REMEMBERED = "remembered"
    STARTED = "started"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRecord:
    """A command that the hidden second line of a reply records until it has ended, as it was typed.

    `recorded_at` is in seconds since the epoch. `run` is the CI run that works on it. A record of an early version of
    the bot names no `requester` and has no signature.
    """

    state: RecordState
    command: str
    requester: str = ""
    recorded_at: int = 0
    run: str = ""
    signature: str = ""


def write_command_record(body: str, record: CommandRecord) -> str:
    """Put a command into a hidden line under the status marker of a reply."""
    marker, _, text = body.partition("\n")
    run, signature = record.run and f" run={record.run}", record.signature and f" signature={record.signature}"
    details = f" by={_encode(record.requester)} at={record.recorded_at}{run}{signature}" if record.requester else ""
    return f"{marker}\n{_OPENING}{record.state.value}:{_encode(record.command)}{details} -->\n{text}"


def read_command_record(body: str) -> CommandRecord | None:
    """Read the recorded command of a reply, or None. Only the second line counts: the text below may quote anything."""
    match = _RECORD.match(body.replace("\r\n", "\n"))
    if match is None or _STATUS.match(body) is None:
        return None
    state, command, requester, seconds, run, signature = match.groups()
    return CommandRecord(
        state=RecordState(state),
        command=unquote(command),
        requester=unquote(requester or ""),
        recorded_at=int(seconds or 0),
        run=run or "",
        signature=signature or "",
    )


def write_branch_states(body: str, states: Mapping[str, str]) -> str:
    """Add the state of each target branch as a hidden last line. It is for display: the bot never acts on it."""
    words = "".join(f" {_encode(branch)}={_encode(state)}" for branch, state in states.items())
    return f"{body.rstrip()}\n\n{_OPENING}branches{words} -->\n"


def read_branch_states(body: str) -> dict[str, str]:
    """Read the state of each target branch from a status comment; empty for other comments."""
    line = body.rstrip().replace("\r\n", "\n").rpartition("\n")[2]
    if not (line.startswith(f"{_OPENING}branches ") and line.endswith(" -->")):
        return {}
    pairs = (word.partition("=") for word in line.split(" ")[2:-1])
    return {unquote(branch): unquote(state) for branch, _, state in pairs}


def conflict_marker() -> str:
    """Return the line that marks a backport pull request as opened with a conflict in it."""
    return f"{_OPENING}conflict -->"


def is_conflict(body: str) -> bool:
    """Return whether the body of a backport pull request has that line."""
    return conflict_marker() in body.replace("\r\n", "\n").split("\n")


def tracking_marker(branch: str) -> str:
    """Return the marker of the tracking issue of a branch."""
    return f"{_OPENING}tracking:{_encode(branch)} -->"


def pull_request_marker(key: BackportKey) -> str:
    """Return the marker that ends the body of a backport pull request."""
    return (
        f"{_OPENING}pull-request repository={_encode(key.repository)} commit={key.commit} "
        f"target={_encode(key.target)} -->"
    )


def parse_pull_request_marker(body: str) -> BackportKey | None:
    """Read the key from a pull request's body; None if no line of it is a marker.

    The last marker counts: the bot's own ends the body, and the text above may quote any other.
    """
    keys = _PULL_REQUEST.findall(body.replace("\r\n", "\n"))
    if not keys:
        return None
    repository, commit, target = keys[-1]
    return BackportKey(repository=unquote(repository), commit=Sha(commit), target=unquote(target))


def _encode(value: str) -> str:
    # An HTML comment ends at "-->" and may not hold "--"; quote() leaves dashes alone.
    return quote(value, safe="/").replace("--", "-%2D")
