"""One backport request as a serialisable value: the requester, the commits to pick, and the options."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from bot.commands.parser import Command, parse_commands
from bot.commands.verbs import Verb
from bot.errors import CommandError
from bot.models import BackportOptions, MergeMethod, PullRequest, Sha
from bot.pipeline.reply_keys import comment_of


class Record(BaseModel):
    """A mapping in a run folder's file. An unknown key is an error: it may be meant for a later version."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_bytes="base64", val_json_bytes="base64")


class BackportRequest(Record):
    """One command of a person, read and permitted. `key` finds its status comment, which keeps the `command`.

    A scheduled run has neither: both are empty. `labelled_at` is the moment of the label or of the run by hand that
    asked, if one did. `companion_originals` are the commits, oldest first, of companions that are to come along and are
    merged.
    `undone` is a sentence for the requester and the reviewer if the original was reverted since, else empty.
    """

    key: str
    command: str
    requester: str
    labelled_at: datetime | None = None
    original: PullRequest
    merge_method: MergeMethod
    commits: tuple[Sha, ...]
    options: BackportOptions
    companion_originals: Mapping[str, tuple[Sha, ...]] = {}
    undone: str = ""

    @property
    def comment_id(self) -> int | None:
        """The comment that asked; None for a label or a scheduled run."""
        return comment_of(self.key)

    @property
    def named_commits(self) -> tuple[str, ...]:
        """The commits that the requester named, as they wrote them."""
        try:
            return next((command.commits for command in parse_commands(self.command)), ())
        except CommandError:
            return ()  # It was read once, so another version of the bot wrote it.

    def command_for(self, target: str, **changes: bool) -> Command:
        """Return the command that asks for this backport to one target, with these options changed."""
        command = Command(verb=Verb.BACKPORT, options=self.options, commits=self.named_commits)
        return command.onto(target, **changes)
