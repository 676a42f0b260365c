"""Targets in other repositories: `owner/name:branch` → that repository's workplace and its branch.

Owns the way from a target's name to where it is. What is done there is the same line.
"""

from __future__ import annotations

from bot.commands.parser import Command
from bot.commands.verbs import Verb
from bot.errors import NotAuthorized, TargetBranchNotFound
from bot.models import Sha
from bot.pipeline.authorization import is_authorized
from bot.pipeline.context import Backport, RepositoryContext
from bot.text.branch_names import split_target


def target_branches(context: RepositoryContext) -> dict[str, Sha]:
    """Return every branch that can be a target, by the name that a requester gives it."""
    elsewhere = {
        f"{repository}:{branch}": tip
        for repository, there in context.others.items()
        for branch, tip in there.mirror.branches().items()
    }
    return context.mirror.branches() | elsewhere


def resolve_repository(target: str, context: RepositoryContext) -> tuple[RepositoryContext, str]:
    """Return where a target is and what its branch is called there.

    Raises:
        TargetBranchNotFound: the configuration does not name that repository, or the token cannot see it.
    """
    repository, branch = split_target(target)
    if repository is None:
        return context, branch
    if repository in context.unseen:
        raise repository_not_visible(repository, context)
    if repository not in context.others:
        raise TargetBranchNotFound(
            f"`{repository}` is not one of the repositories of `elsewhere`, so nothing was started there.",
            hint="A maintainer can name it in `backport.yaml`.",
        )
    return context.others[repository], branch


def remote_of(context: RepositoryContext) -> str:
    """Return how a clone of the originals' repository names the remote of this one."""
    return context.github.clone_url if context.home is not None else "origin"


def repository_not_visible(repository: str, context: RepositoryContext) -> TargetBranchNotFound:
    """Word that a repository of `elsewhere` is out of the bot's sight."""
    reason = context.unseen[repository].message
    return TargetBranchNotFound(
        f"`{repository}` cannot be seen with this token, so nothing was started there. {reason}",
        hint="Give the bot a GitHub App or an account with access there; the token of a workflow run has none.",
    )


def context_for_target(target: str, backport: Backport, context: RepositoryContext) -> tuple[RepositoryContext, str]:
    """Return where a target is, with the commits to backport at hand there.

    Raises:
        NotAuthorized: the requester may not ask for backports in that repository.
        TargetBranchNotFound: see `place_of`.
    """
    there, branch = resolve_repository(target, context)
    if there is context:
        return context, branch
    command = Command(verb=Verb.BACKPORT, targets=(branch,), options=backport.options)
    if not is_authorized(command, backport.requester, there):
        raise NotAuthorized(
            f"@{backport.requester} may not ask for backports to `{target}`, so nothing was started there.",
            hint="Somebody who may write there can ask.",
        )
    context.mirror.fetch(backport.commits)
    return there, branch
