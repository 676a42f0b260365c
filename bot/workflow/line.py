"""One target branch from start to end: plan → pick → prove → publish. Every ending is a TargetResult."""

from __future__ import annotations

from bot.carried.detect import check
from bot.errors import BackportError
from bot.git.tree import CommitTree
from bot.model import (
    AlreadyApplied,
    Candidate,
    Conflict,
    Conflicted,
    Failed,
    NotAffected,
    NotProven,
    Sha,
    Signature,
    TargetPlan,
    TargetResult,
    Verdict,
    WouldOpen,
)
from bot.pick.companions import carry_companions
from bot.pick.ladder import pick
from bot.plan import plan_target
from bot.workflow.companions import find_merged
from bot.workflow.proof import prove_candidate
from bot.workflow.publish import check_rights, find_backport, publish
from bot.workflow.workplace import Backport, Workplace

# A branch that moves this often during a suite run is busier than any release branch we know of.
_ATTEMPTS = 3


def backport_to(branch: str, backport: Backport, at: Workplace) -> TargetResult:
    """Bring the original to one target branch. What stops this branch is its result and never an exception."""
    try:
        existing = find_backport(branch, backport.original, backport.options, at)
        return existing or _carry(branch, backport, at)
    except BackportError as error:
        return Failed(branch=branch, message=error.message, hint=error.hint)


def _carry(branch: str, backport: Backport, at: Workplace) -> TargetResult:
    for _ in range(_ATTEMPTS):
        plan = _plan(branch, backport, at)
        if not isinstance(plan, TargetPlan):
            return plan
        candidate = _pick(plan, backport, at)
        if not isinstance(candidate, Candidate):
            return candidate
        check_rights(candidate, at)
        verdict = _prove(candidate, backport, at)
        if verdict is not None and not verdict.proven and at.config.prove.required:
            return NotProven(branch=branch, candidate=candidate, verdict=verdict)
        if backport.options.dry_run:
            return WouldOpen(branch=branch, candidate=candidate, verdict=verdict)
        if at.mirror.branches().get(branch) == plan.base_commit:
            return publish(plan, candidate, verdict, backport, at)
        at.progress(f"{branch}: the branch moved during the proof; starting again")
    return Failed(
        branch=branch,
        message=f"The branch moved {_ATTEMPTS} times while the candidate was being proven, so nothing was opened.",
        hint="Ask again when the branch is quieter.",
    )


def _plan(branch: str, backport: Backport, at: Workplace) -> TargetPlan | NotAffected | AlreadyApplied:
    base = _fetch_tip(branch, backport, at)
    report = check(CommitTree(at.mirror, base), backport.patch) if backport.patch else None
    at.progress(f"{branch}: {report.status.value}, {report.reason}" if report else f"{branch}: planned")
    return plan_target(
        branch=branch,
        base_commit=base,
        backport_branch=at.config.backport_branch(backport.original.number, branch),
        commits=backport.commits,
        merge_method=backport.merge_method,
        check=report,
    )


def _fetch_tip(branch: str, backport: Backport, at: Workplace) -> Sha:
    tip = at.mirror.branches()[branch]
    at.mirror.fetch([tip, *backport.commits])
    return tip


def _pick(plan: TargetPlan, backport: Backport, at: Workplace) -> Candidate | Conflicted | AlreadyApplied:
    committer = Signature(at.config.committer.name, at.config.committer.email, at.now())
    picked = pick(
        at.mirror,
        plan,
        patches=at.patches,
        committer=committer,
        siblings=backport.siblings,
        knowledge=at.knowledge,
    )
    if isinstance(picked, Conflict):
        return Conflicted(branch=plan.branch, conflict=picked)
    if isinstance(picked, Candidate):
        at.progress(f"{plan.branch}: {picked.method.value}, {picked.fidelity.value}")
        return _with_companions(picked, committer, backport, at)
    return picked


def _with_companions(candidate: Candidate, committer: Signature, backport: Backport, at: Workplace) -> Candidate:
    if backport.patch is None or not backport.options.with_companions:
        return candidate
    whole = carry_companions(
        at.mirror,
        candidate,
        backport.patch,
        patches=at.patches,
        committer=committer,
        original_of=lambda companion: find_merged(companion, at),
    )
    at.progress(f"{candidate.branch}: {len(whole.companions)} companions on top")
    return whole


def _prove(candidate: Candidate, backport: Backport, at: Workplace) -> Verdict | None:
    """Return the verdict, or None where the requester was allowed to skip the proof."""
    return prove_candidate(candidate, backport.patch, at) if backport.options.prove else None
