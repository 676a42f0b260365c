"""What the existing pull requests say of a target branch: whether its backport is open, merged, reverted or closed."""

from __future__ import annotations

from bot.commands.parser import Command
from bot.history.landed import find_landing_status
from bot.models import AlreadyApplied, Failed, Opened, PullRequest, TargetOutcome
from bot.pipeline.branch_naming import find_pull_requests
from bot.pipeline.context import RepositoryContext


def find_backport(
    branch: str, original: PullRequest, asked: Command, context: RepositoryContext
) -> TargetOutcome | None:
    """Return how the target branch stands by the pull requests that exist, or None where there is none to respect."""
    existing = find_pull_requests(branch, original, context)
    merged = next((each for each in existing if each.merged), None)
    if merged is not None and _is_there(merged, branch, context):
        return AlreadyApplied(branch=branch, how=f"#{merged.number} is merged", commit=merged.merge_commit)
    # What came before a backport that was reverted is over with it.
    existing = existing[: existing.index(merged)] if merged is not None else existing
    if asked.options.redo or not existing:
        return None
    standing = next((each for each in existing if each.state == "open"), None)
    if standing is not None:
        return Opened(branch=branch, pull_request=standing, created=False)
    return _closed(branch, existing[0], asked.onto(context.target(branch), redo=True))


def _is_there(merged: PullRequest, branch: str, context: RepositoryContext) -> bool:
    """Say whether what a backport pull request brought is still on the branch, and not reverted since."""
    tip = context.mirror.branches().get(branch)
    if tip is None or merged.merge_commit is None:
        return True
    context.mirror.fetch([tip, merged.merge_commit])
    return merged.merge_commit not in find_landing_status(context.mirror, tip, [merged.merge_commit]).reverted


def _closed(branch: str, pull_request: PullRequest, again: Command) -> Failed:
    return Failed(
        branch=branch,
        message=f"#{pull_request.number} was closed without being merged, so it was not opened again.",
        hint=f"To have it made anew, comment `{again}`.",
    )
