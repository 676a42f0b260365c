"""One command of one person on one pull request, and how the bot replies and reacts to it.

`bot.report` words the replies.
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
    """The person who asked, and the place. `key` finds the reply again.

    A label has no comment to react to; `labelled_at` is when it was added, or when a run by hand began. A request that
    is not `deferrable` leaves nothing that could start it at the merge.
    """

    pull_request: int
    requester: str
    key: str
    comment_id: int | None = None
    labelled_at: datetime | None = None
    deferrable: bool = True

    @property
    def place(self) -> Place:
        """The place of the reply."""
        return Place(self.pull_request, self.key)


@dataclass(frozen=True, slots=True)
class CommandContext:
    """A command and its source."""

    source: CommandSource
    command: Command


@dataclass(frozen=True, slots=True)
class RefusedCommand:
    """A command that cannot be trusted any more, and why."""

    source: CommandSource
    error: RequestRejected


def post_reply(
    body: str, source: CommandSource, context: RepositoryContext, *, deferred_command: Command | None = None
) -> None:
    """Write a reply, or edit the earlier one to the same command. It may keep a deferred command."""
    marker = answer_marker(source.place, context)
    text = f"{marker}\n{body}"
    if deferred_command is not None:
        text = keep(text, RecordState.REMEMBERED, str(deferred_command), source.requester, source.place, context)
    context.github.write_comment(source.pull_request, text, marker=marker)


def react(reaction: Reaction, source: CommandSource, context: RepositoryContext) -> None:
    """React to the comment, unless a label asked."""
    if source.comment_id is not None:
        context.github.react(source.comment_id, reaction)
