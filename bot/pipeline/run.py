"""One target branch from start to end: plan → pick → prove → publish. Every ending is a TargetOutcome.

Each step is a function of its own, so that the steps can also run in processes that trust each other less (the room
`bot.handlers`). Making and proving a candidate take a PickContext, which has no way to GitHub.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from bot.carried.detect import check
from bot.carried.load import CarriedPatch
from bot.commands.parser import Command
from bot.errors import TargetBranchNotFound
from bot.git.trees import CommitTree
from bot.models import (
    AlreadyApplied,
    Candidate,
    Commit,
    Conflict,
    Conflicted,
    Failed,
    NotProven,
    Sha,
    Signature,
    TargetOutcome,
    TargetPlan,
    Verdict,
    WouldOpen,
)
from bot.pick import ladder
from bot.pick.companions import carry_companions
from bot.pick.context import PickContext
from bot.pick.plan import plan_target
from bot.pick.rewrite_commits import sign_off
from bot.pick.strategy import Regenerator
from bot.pick.with_prerequisites import bring_prerequisites
from bot.pipeline import unexpected_errors
from bot.pipeline.branch_naming import name_backport_branch
from bot.pipeline.cancellation import Watch, cancelled
from bot.pipeline.conflict_drafts import offer_draft
from bot.pipeline.context import Backport, RepositoryContext
from bot.pipeline.open_pull_request import replaceable_tip
from bot.pipeline.prove import configured_runner, prove_candidate
from bot.pipeline.publish import check_rights, find_backport, open_backport
from bot.pipeline.regenerate_files import tools_for
from bot.pipeline.repositories import context_for_target
from bot.pipeline.verified_commits import signed_by_github
from bot.proof.runner import Runner
from bot.text.markdown import count

T = TypeVar("T")

# A branch that moves this often during a suite run is busier than any release branch we know of.
_ATTEMPTS = 3


def backport_to(branch: str, backport: Backport, context: RepositoryContext) -> TargetOutcome:
    """Bring the original to one target branch. What stops this branch is its result and never an exception."""

    def carry() -> TargetOutcome:
        there, name = context_for_target(branch, backport, context)
        ending = _carry(name, backport, there)
        return branch_moved_outcome(branch, backport, _ATTEMPTS) if ending is None else replace(ending, branch=branch)

    return capture_errors(branch, carry, retry=backport.asking(branch))


def plan_for(target: str, backport: Backport, context: RepositoryContext) -> TargetPlan | TargetOutcome:
    """Take the first step alone, wherever the target is. What stops it is its result and never an exception."""

    def step() -> TargetPlan | TargetOutcome:
        there, name = context_for_target(target, backport, context)
        planned = plan(name, backport, there)
        return planned if isinstance(planned, TargetPlan) else replace(planned, branch=target)

    return capture_errors(target, step, retry=backport.asking(target))


def capture_errors(branch: str, step: Callable[[], T], *, retry: Command | None = None) -> T | Failed:
    """Run a step of one target branch; any error becomes the branch's ending and stops no other branch.

    `retry` is the command by which a person asks for the branch again; none where the next run does.
    """
    try:
        return step()
    except Exception as error:
        return unexpected_errors.failed(branch, error, retry=str(retry or ""))


def _carry(branch: str, backport: Backport, context: RepositoryContext) -> TargetOutcome | None:
    for _ in range(_ATTEMPTS):
        planned = plan(branch, backport, context)
        if not isinstance(planned, TargetPlan):
            return planned
        candidate = pick(planned, backport, context.pick, tools=tools_for(branch, context.pick))
        if isinstance(candidate, Conflicted):
            return offer_draft(candidate, planned, backport, context)
        if not isinstance(candidate, Candidate):
            return candidate
        check_rights(candidate, context)
        candidate = signed_by_github(candidate, context)
        watched = replace(context, pick=replace(context.pick, stop_when=Watch(branch, backport, context)))
        verdict = prove(candidate, backport, watched.pick, configured_runner(watched))
        ending = publish(planned, candidate, verdict, backport, context)
        if ending is not None:
            return ending
        context.progress(f"{branch}: the branch moved during the proof; starting again")
    return None


def branch_moved_outcome(branch: str, backport: Backport, times: int) -> Failed:
    """Word the ending of a branch that moved under every proof."""
    often = "once" if times == 1 else f"{times} times"
    return Failed(
        branch=branch,
        message=f"The branch moved {often} while the candidate was being proven, so nothing was opened: a proof holds "
        "for the commit that it was made on.",
        hint=f"Comment `{backport.asking(branch)}` when the branch is quieter: it is then made on the new tip.",
    )


def plan(branch: str, backport: Backport, context: RepositoryContext) -> TargetPlan | TargetOutcome:
    """Pin the branch and decide: an ending where nothing is to be done, a plan otherwise."""
    stopped = cancelled(branch, backport, context)
    if stopped is not None:
        return stopped
    existing = find_backport(branch, backport.original, backport.asking(branch), context)
    if existing is not None:
        return existing
    branches = context.mirror.branches()
    base = _fetch_tip(branch, branches, backport, context)
    report = check(CommitTree(context.mirror, base), backport.patch) if backport.patch else None
    context.progress(f"{branch}: {report.status.value}, {report.reason}" if report else f"{branch}: planned")
    planned = plan_target(
        branch=branch,
        base_commit=base,
        backport_branch=name_backport_branch(branch, backport.original, branches, context),
        commits=backport.commits,
        merge_method=backport.merge_method,
        check=report,
    )
    if isinstance(planned, TargetPlan) and planned.backport_branch in branches:
        # A person's branch of that name is not pushed over; better to say so before the proof than after it.
        replaceable_tip(planned, context)
    return planned


def _fetch_tip(branch: str, branches: Mapping[str, Sha], backport: Backport, context: RepositoryContext) -> Sha:
    tip = branches.get(branch)
    if tip is None:
        raise TargetBranchNotFound(
            f"`{branch}` was there when it was asked for and is gone by now, so nothing was opened.",
            hint="Ask again when there is such a branch.",
        )
    context.mirror.fetch([tip, *backport.commits])
    return tip


def pick(
    plan: TargetPlan, backport: Backport, context: PickContext, *, tools: Regenerator | None = None
) -> Candidate | Conflicted | AlreadyApplied:
    """Make the candidate, or say why there is none. What the plan names is in the mirror.

    With `tools`, which run somebody's code, files that they write are written anew where they conflict.
    """
    committer = context.committer()

    def pick_plan(planned: TargetPlan, /, *, propose: bool = True) -> Candidate | Conflict | AlreadyApplied:
        return ladder.pick(
            context.mirror,
            planned,
            patches=context.patches,
            committer=committer,
            siblings=backport.siblings,
            caches=context.caches,
            max_prerequisites=context.config.pick.max_prerequisites,
            propose=propose and context.config.pick.propose,
            regenerator=tools,
        )

    picked = pick_plan(plan)
    if isinstance(picked, Conflict) and picked.prerequisites and backport.options.with_prerequisites:
        picked = bring_prerequisites(context.mirror, plan, picked, committer, pick_plan)
    if isinstance(picked, Conflict):
        return Conflicted(branch=plan.branch, conflict=picked)
    if isinstance(picked, Candidate):
        context.progress(f"{plan.branch}: {picked.method.value}, {picked.fidelity.value}")
        whole = _with_companions(picked, committer, backport, context)
        return sign_off(context.mirror, whole, committer) if context.config.commit.signoff else whole
    return picked


def _with_companions(candidate: Candidate, committer: Signature, backport: Backport, context: PickContext) -> Candidate:
    if backport.patch is None or not backport.options.with_companions:
        return candidate

    def original_of(companion: CarriedPatch) -> Commit | None:
        merged = backport.companion_originals.get(companion.name)
        return context.mirror.commit(merged) if merged else None

    whole = carry_companions(
        context.mirror, candidate, backport.patch, patches=context.patches, committer=committer, original_of=original_of
    )
    context.progress(f"{candidate.branch}: {count(len(whole.companions), 'companion')} on top")
    return whole


def prove(
    candidate: Candidate, backport: Backport, context: PickContext, runner: Runner | None = None
) -> Verdict | None:
    """Return the verdict, or None if the requester was allowed to skip the proof."""
    return prove_candidate(candidate, backport.patch, context, runner) if backport.options.prove else None


def publish(
    plan: TargetPlan, candidate: Candidate, verdict: Verdict | None, backport: Backport, context: RepositoryContext
) -> TargetOutcome | None:
    """Open what may be opened; None where the branch is no longer where the plan pinned it, and nothing was pushed."""
    stopped = cancelled(plan.branch, backport, context)
    if stopped is not None:
        return stopped
    if verdict is not None and not verdict.proven and context.config.prove.required:
        return NotProven(branch=plan.branch, candidate=candidate, verdict=verdict)
    if backport.options.dry_run:
        return WouldOpen(branch=plan.branch, candidate=candidate, verdict=verdict)
    if context.mirror.branches().get(plan.branch) != plan.base_commit:
        return None
    return open_backport(plan, candidate, verdict, backport, context)
