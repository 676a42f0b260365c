"""The first step: pin a target branch and decide whether there is anything to do on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.carried.detect import check
from bot.errors import TargetBranchNotFound
from bot.git.trees import CommitTree
from bot.models import Comment, Opened, PullRequest, Sha, TargetOutcome, TargetPlan
from bot.pick.plan import plan_target
from bot.pipeline.branch_naming import name_backport_branch, possible_names
from bot.pipeline.cancellation import find_cancellation
from bot.pipeline.context import RepositoryContext
from bot.pipeline.existing_backports import find_backport
from bot.pipeline.foreign_backports import find_foreign_backport, foreign_heads
from bot.pipeline.open_pull_request import replaceable_tip
from bot.pipeline.request import BackportRequest


def plan_backport(branch: str, request: BackportRequest, context: RepositoryContext) -> TargetPlan | TargetOutcome:
    """Return a plan, or the outcome if nothing is to be done. `branch` is its name in this repository.

    Raises:
        TargetBranchNotFound: the branch is gone.
        PushRejected: the backport branch holds a commit that the bot did not make.
    """
    branches = context.mirror.branches()
    names = possible_names(branch, request.original, context)
    comments, all_pull_requests = _read_github([*names, *foreign_heads(request, branches)], branch, request, context)
    pull_requests = [pull for pull in all_pull_requests if pull.head in names]
    cancellation = find_cancellation(branch, request, comments, context)
    if cancellation is not None:
        return cancellation
    outcome = find_backport(branch, request.original, pull_requests, request.command_for(branch), context)
    if outcome is not None:
        return outcome
    base = _fetch_tip(branch, branches, request, context)
    foreign = None if request.options.redo else find_foreign_backport(all_pull_requests, base, request, context)
    if foreign is not None:
        return Opened(target=branch, pull_request=foreign, created=False)
    patch = context.pick.patch_for(request.original)
    report = check(CommitTree(context.mirror, base), patch) if patch else None
    context.progress(f"{branch}: {report.status.value}, {report.reason}" if report else f"{branch}: planned")
    plan = plan_target(
        branch=branch,
        base_commit=base,
        backport_branch=name_backport_branch(branch, request.original, branches, pull_requests, context),
        commits=request.commits,
        merge_method=request.merge_method,
        check=report,
    )
    head_branches = branches if context.fork is None else context.heads.branches()
    if isinstance(plan, TargetPlan) and plan.backport_branch in head_branches:
        # A person's branch of that name is not pushed over; better to say so before the proof than after it.
        replaceable_tip(plan, context)
    return plan


def _read_github(
    heads: Iterable[str], branch: str, request: BackportRequest, context: RepositoryContext
) -> tuple[tuple[Comment, ...], tuple[PullRequest, ...]]:
    """Return the original's comments, and the pull requests from some branches into the target branch."""
    number, heads = request.original.number, tuple(dict.fromkeys(heads))
    if context.home is None:
        return context.github.comments_and_backports(number, heads, branch)
    return context.home.comments(number), context.github.backport_pull_requests(heads, branch)


def _fetch_tip(branch: str, branches: Mapping[str, Sha], request: BackportRequest, context: RepositoryContext) -> Sha:
    tip = branches.get(branch)
    if tip is None:
        raise TargetBranchNotFound(
            f"`{branch}` existed at the time of the request and was deleted since, so nothing was opened.",
            hint="Ask again when there is such a branch.",
        )
    context.mirror.fetch([tip, *request.commits])
    return tip
