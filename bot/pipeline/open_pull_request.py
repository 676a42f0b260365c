"""Pushes a commit to the backport branch and opens the pull request from there; an existing one is updated.

If the branch is pushed and the pull request refused, the error says how to open it by hand.
"""

from __future__ import annotations

import logging
from functools import partial
from urllib.parse import quote

from bot.errors import BackportError, GitHubError, NoDrafts, NotOpened, PushRejected
from bot.models import PullRequest, Sha, TargetPlan
from bot.pipeline.context import RepositoryContext
from bot.pipeline.verified_commits import is_by_bot

log = logging.getLogger(__name__)


def push_and_open(
    commit: Sha,
    plan: TargetPlan,
    context: RepositoryContext,
    *,
    title: str,
    body: str,
    draft: bool,
    without_drafts: bool = False,
) -> PullRequest:
    """Push a commit to the backport branch and open its pull request, or bring the open one up to date.

    `without_drafts` opens an ordinary pull request if the repository's plan has no drafts.

    Raises:
        PushRejected: the backport branch holds a commit that the bot did not make; nothing was pushed.
        PushForbidden: the repository does not take the push.
        NotOpened: the branch is pushed, and GitHub refused the pull request.
    """
    # If a person pushes after this look at the branch, the push is rejected and overwrites nothing.
    context.heads.push(commit, plan.backport_branch, expected=replaceable_tip(plan, context))
    open_as = partial(
        context.github.open_pull_request, title=title, body=body, head=plan.backport_branch, base=plan.branch
    )
    try:
        try:
            return open_as(draft=draft)
        except NoDrafts:
            if not without_drafts:
                raise
            return open_as(draft=False)
    except GitHubError as error:
        # Then only its update failed, and there is nothing to open by hand.
        if _has_pull_request(plan, context):
            raise
        raise NotOpened(
            f"{error.message} `{plan.backport_branch}` is pushed and has no pull request.",
            hint=f"{error.hint} Or open it by hand: `{compare_url(plan, context)}`",
            http_status=error.http_status,
            request_id=error.request_id,
        ) from error


def take_back(commit: Sha, plan: TargetPlan, before: Sha | None, context: RepositoryContext) -> None:
    """Reset a backport branch that holds `commit` to where it was, or remove it. A failure is logged."""
    try:
        if before is None:
            context.heads.delete_branch(plan.backport_branch, expected=commit)
        else:
            context.heads.push(before, plan.backport_branch, expected=commit)
    except BackportError as error:
        log.warning("%s", error)


def compare_url(plan: TargetPlan, context: RepositoryContext) -> str:
    """Return the page on which a person opens the pull request."""
    base, head = (quote(name, safe="/") for name in (plan.branch, plan.backport_branch))
    owner = f"{context.config.publish.fork.partition('/')[0]}:" if context.fork and context.config.publish.fork else ""
    return f"{context.github.clone_url.removesuffix('.git')}/compare/{base}...{owner}{head}?expand=1"


def replaceable_tip(plan: TargetPlan, context: RepositoryContext) -> Sha | None:
    """Return the backport branch's tip if it holds only the bot's commits, None if there is no such branch.

    Raises:
        PushRejected: it holds a commit that the bot did not make.
    """
    tip = context.heads.branches().get(plan.backport_branch)
    if tip is None:
        return None
    context.heads.fetch([tip])
    foreign = next(
        (
            commit
            for commit in context.mirror.commits_between(plan.base_commit, tip)
            if commit.committer.email != context.config.committer.email and not is_by_bot(commit, context)
        ),
        None,
    )
    if foreign is not None:
        raise PushRejected(
            f"`{plan.backport_branch}` holds {foreign.sha[:12]} by {foreign.committer.name}, so it was left as it is.",
            hint="Finish that branch by hand, or delete it and ask again.",
        )
    return tip


def _has_pull_request(plan: TargetPlan, context: RepositoryContext) -> bool:
    try:
        pulls = context.github.backport_pull_requests([plan.backport_branch], plan.branch)
    except GitHubError as error:
        log.warning("%s", error)
        return False
    return any(pull.state == "open" for pull in pulls)
