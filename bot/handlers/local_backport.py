"""Serves one `/backport` line that a person runs on their own machine, with their own token.

The steps are those of a comment. Nothing is written to the original: the person reads the results where they asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.commands.parser import NAME, Command
from bot.commands.permissions import required_permission
from bot.handlers.backport import run_targets, unknown_target_failure
from bot.handlers.resolve_targets import resolve_command_targets
from bot.models import Conflicted, Opened, Progress, TargetOutcome, silent
from bot.pipeline.authorization import is_authorized
from bot.pipeline.command_context import CommandContext, CommandSource
from bot.pipeline.context import RepositoryContext
from bot.pipeline.read_request import read_request
from bot.pipeline.request import BackportRequest
from bot.pipeline.run import ByHand
from bot.report import replies

_KEY = "local"


@dataclass
class LocalResults:
    """The outcomes so far, which are told as they come; what was interrupted has none."""

    progress: Progress = silent
    outcomes: list[TargetOutcome] = field(default_factory=list)

    def begin(self, target: str, detail: str = "") -> None:
        """Say that a target branch is being worked on."""
        self.progress(f"{target}: {detail or 'started'}")

    def end(self, result: TargetOutcome) -> None:
        """Keep the outcome of a target branch."""
        self.outcomes.append(result)
        link = f" {result.pull_request.url}" if isinstance(result, Opened) else ""
        self.progress(f"{result.target}: {result.status.value}{link}")

    @property
    def conflicts(self) -> tuple[Conflicted, ...]:
        """The target branches that a person can resolve."""
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Conflicted))


def read_local_request(command: Command, number: int, context: RepositoryContext) -> BackportRequest:
    """Read a command of the person whose token it is.

    Raises:
        NotAuthorized: their permission on the repository does not suffice.
        PullRequestNotMerged: there is nothing to backport yet, and no commits are named.
        RequestRejected: the commits cannot be found.
    """
    login = context.github.login
    if not is_authorized(command, login, context):
        level = required_permission(command, context.config.permissions).value
        raise replies.not_authorized(login, NAME if command.options.prove else f"{NAME} --no-prove", level)
    original = context.github.pull_request(number)
    if not original.merged and not command.commits:
        raise replies.not_merged(number, closed=original.state == "closed")
    # With the moment, `/backport cancel` stops this request as any other.
    source = CommandSource(number, login, _KEY, labelled_at=datetime.now(UTC), deferrable=False)
    return read_request(CommandContext(source, command), original, context)


def run_locally(
    command: Command,
    request: BackportRequest,
    results: LocalResults,
    context: RepositoryContext,
    *,
    by_hand: ByHand | None = None,
) -> None:
    """Take all steps for each target branch of the command. `by_hand` has what a person resolved.

    Raises:
        RequestRejected: the targets are too many, or `auto` cannot tell them.
    """
    targets = resolve_command_targets(command, context.pick.patch_for(request.original), context)
    for unknown in targets.unknown:
        results.end(unknown_target_failure(unknown, context))
    run_targets(targets.names, request, results, context, by_hand=by_hand)
