"""Decides whether there is anything to pick onto a target branch, by the rules of its carried patch. Pure.

Requests and forecasts both decide it here. Every ref is a Sha before this.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.models import Affectedness, AlreadyApplied, DetectResult, MergeMethod, NotAffected, Sha, TargetPlan


def plan_target(
    *,
    branch: str,
    base_commit: Sha,
    backport_branch: str,
    commits: Sequence[Sha],
    merge_method: MergeMethod,
    check: DetectResult | None,
) -> TargetPlan | NotAffected | AlreadyApplied:
    """Plan one target branch from its pinned tip and the carried patch's `check` of that tip.

    `unknown` is no reason to stop: the regression suite decides.
    """
    if check and check.status is Affectedness.NOT_AFFECTED:
        return NotAffected(target=branch, check=check)
    if check and check.status is Affectedness.FIXED:
        return AlreadyApplied(target=branch, how=check.reason)
    return TargetPlan(
        branch=branch,
        base_commit=base_commit,
        backport_branch=backport_branch,
        commits=tuple(commits),
        merge_method=merge_method,
        patch=check.patch if check else None,
        check=check,
    )
