"""One command of one person on one pull request, and the way to answer it.

Owns how an answer is found again and where reactions go. What is said is worded in `bot.report`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from bot.commands import Command
from bot.github.door import Reaction
from bot.report.markers import Kept, keep_command, status_marker
from bot.workflow.workplace import Workplace


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked where. `key` finds the answer again.

    A label has no comment to react to; `labelled_at` is when it was put there.
    """

    pull_request: int
    requester: str
    key: str
    comment_id: int | None = None
    labelled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A command and who gave it."""

    asked: Asked
    command: Command


def comment_key(comment_id: int) -> str:
    """Return what the keys of all answers to a comment start with; a dash and the command's place follow."""
    return f"comment-{comment_id}"


def comment_of(key: str) -> int | None:
    """Return the comment that an answer's key belongs to; None for a label's."""
    found = re.fullmatch(r"comment-(\d+)-\d+", key)
    return int(found[1]) if found else None


def label_key(target: str) -> str:
    """Return the key of the answer to a label that names a target."""
    return f"label-{target}"


def say(body: str, asked: Asked, at: Workplace, *, remembering: Command | None = None) -> None:
    """Write the answer, or put it in the place of an earlier one to the same command. It may keep a command."""
    marker = status_marker(asked.key)
    whole = f"{marker}\n{body}"
    if remembering is not None:
        whole = keep_command(whole, Kept.REMEMBERED, str(remembering))
    at.github.write_comment(asked.pull_request, whole, marker=marker)


def react(reaction: Reaction, asked: Asked, at: Workplace) -> None:
    """Put a reaction on the comment, if it was one."""
    if asked.comment_id is not None:
        at.github.react(asked.comment_id, reaction)
