"""One command of one person on one pull request, and the way to answer it.

Owns how an answer is found again and where reactions go. What is said is worded in `bot.report`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.commands.parser import Command
from bot.errors import RequestRejected
from bot.github.protocol import Reaction
from bot.pipeline.context import RepositoryContext
from bot.pipeline.request_storage import Place, answer_marker, keep
from bot.text.markers import RecordState


@dataclass(frozen=True, slots=True)
class CommandSource:
    """Who asked where. `key` finds the answer again.

    A label has no comment to react to; `labelled_at` is when it was put there.
    """

    pull_request: int
    requester: str
    key: str
    comment_id: int | None = None
    labelled_at: datetime | None = None

    @property
    def place(self) -> Place:
        """Where the answer is."""
        return Place(self.pull_request, self.key)


@dataclass(frozen=True, slots=True)
class CommandContext:
    """A command and who gave it."""

    source: CommandSource
    command: Command


@dataclass(frozen=True, slots=True)
class RefusedCommand:
    """A request that cannot be believed any more, and why."""

    source: CommandSource
    error: RequestRejected


def post_reply(
    body: str, source: CommandSource, context: RepositoryContext, *, deferring: Command | None = None
) -> None:
    """Write the answer, or put it in the place of an earlier one to the same command. It may keep a command."""
    marker = answer_marker(source.place, context)
    whole = f"{marker}\n{body}"
    if deferring is not None:
        whole = keep(whole, RecordState.REMEMBERED, str(deferring), source.requester, source.place, context)
    context.github.write_comment(source.pull_request, whole, marker=marker)


def react(reaction: Reaction, source: CommandSource, context: RepositoryContext) -> None:
    """Put a reaction on the comment, if it was one."""
    if source.comment_id is not None:
        context.github.react(source.comment_id, reaction)
