"""Looks for an existing backport to a target branch, and says whether it is open, merged, reverted or closed."""

from __future__ import annotations

from collections.abc import Iterable

from bot.commands.parser import Command
from bot.history.landed import find_landing_status
from bot.models import AlreadyApplied, Failed, Opened, PullRequest, TargetOutcome
from bot.pipeline.context import RepositoryContext
from bot.pipeline.recognize_backport import is_backport_of


def find_backport(
    branch: str,
    original: PullRequest,
    pull_requests: Iterable[PullRequest],
    command: Command,
    context: RepositoryContext,
) -> TargetOutcome | None:
    """Return the outcome that existing pull requests mean for a target branch; None if there is none to respect.

    `pull_requests` are those from the branches that a backport may have, newest first.
    """
    pull_requests = tuple(pull for pull in pull_requests if is_backport_of(pull, branch, original, context))
    merged_pull = next((pull for pull in pull_requests if pull.merged), None)
    if merged_pull is not None and _is_there(merged_pull, branch, context):
        return AlreadyApplied(target=branch, how=f"#{merged_pull.number} is merged", commit=merged_pull.merge_commit)
    # What came before a backport that was reverted is over with it.
    pull_requests = pull_requests[: pull_requests.index(merged_pull)] if merged_pull is not None else pull_requests
    if command.options.redo or not pull_requests:
        return None
    open_pull = next((pull for pull in pull_requests if pull.state == "open"), None)
    if open_pull is not None:
        return Opened(target=branch, pull_request=open_pull, created=False)
    return _closed_outcome(branch, pull_requests[0], command.onto(context.target(branch), redo=True))


def _is_there(merged_pull: PullRequest, branch: str, context: RepositoryContext) -> bool:
    """Say whether the change of a merged backport is still on the branch, and was not reverted."""
    tip = context.mirror.branches().get(branch)
    if tip is None or merged_pull.merge_commit is None:
        return True
    context.mirror.fetch([tip, merged_pull.merge_commit])
    return merged_pull.merge_commit not in find_landing_status(context.mirror, tip, [merged_pull.merge_commit]).reverted


def _closed_outcome(branch: str, pull_request: PullRequest, redo_command: Command) -> Failed:
    return Failed(
        target=branch,
        message=f"#{pull_request.number} was closed without being merged, so it was not opened again.",
        hint=f"To make it again, comment `{redo_command}`.",
    )
