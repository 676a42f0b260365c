"""Finds the repository that a target is in: that of the originals, or one that the configuration names."""

from __future__ import annotations

from bot.commands.parser import Command
from bot.commands.verbs import Verb
from bot.errors import NotAuthorized, TargetBranchNotFound
from bot.models import Sha, Target
from bot.pipeline.authorization import is_authorized
from bot.pipeline.context import RepositoryContext
from bot.pipeline.request import BackportRequest


def target_branches(context: RepositoryContext) -> dict[str, Sha]:
    """Return every branch that can be a target, by the name that a requester gives it."""
    return context.mirror.branches() | _other_branches(context)


def recent_target_branches(context: RepositoryContext) -> dict[str, Sha]:
    """Return the same, as it was at most a minute ago: for who has just asked."""
    return context.mirror.recent_branches() | _other_branches(context)


def _other_branches(context: RepositoryContext) -> dict[str, Sha]:
    return {
        str(Target(name, branch)): tip
        for name, repository in context.other_repositories.items()
        for branch, tip in repository.mirror.branches().items()
    }


def resolve_repository(target: Target, context: RepositoryContext) -> RepositoryContext:
    """Return the repository that a target is in.

    Raises:
        TargetBranchNotFound: the configuration does not name that repository, or the token cannot see it.
    """
    if target.repository is None:
        return context
    if target.repository in context.invisible_repositories:
        raise repository_not_visible(target.repository, context)
    if target.repository not in context.other_repositories:
        raise TargetBranchNotFound(
            f"`{target.repository}` is not one of the repositories of `elsewhere`, so nothing was started there.",
            hint="A maintainer can name it in `backport.yaml`.",
        )
    return context.other_repositories[target.repository]


def remote_of(context: RepositoryContext) -> str:
    """Return how a clone of the originals' repository names the remote of this one."""
    return context.github.clone_url if context.home is not None else "origin"


def repository_not_visible(repository: str, context: RepositoryContext) -> TargetBranchNotFound:
    """Return the error for a repository of `elsewhere` that the bot cannot see."""
    reason = context.invisible_repositories[repository].message
    return TargetBranchNotFound(
        f"`{repository}` cannot be seen with this token, so nothing was started there. {reason}",
        hint="Give the bot a GitHub App or an account with access there; the token of a workflow run has none.",
    )


def context_for_target(target: Target, request: BackportRequest, context: RepositoryContext) -> RepositoryContext:
    """Return the repository that a target is in, with the commits to backport in its mirror.

    Raises:
        NotAuthorized: the requester may not ask for backports in that repository.
        TargetBranchNotFound: see `resolve_repository`.
    """
    repository = resolve_repository(target, context)
    if repository is context:
        return context
    command = Command(verb=Verb.BACKPORT, targets=(target.branch,), options=request.options)
    if not is_authorized(command, request.requester, repository):
        raise NotAuthorized(
            f"@{request.requester} may not ask for backports to `{target}`, so nothing was started there.",
            hint="A person with write access there can ask.",
        )
    context.mirror.fetch(request.commits)
    return repository
