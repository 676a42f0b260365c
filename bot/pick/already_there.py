"""The first rung: the target branch has the change.

Owns what counts as having it before anything is tried. That a pick comes out empty is seen by the rungs that pick.
"""

from __future__ import annotations

from bot.models import Affectedness, AlreadyApplied
from bot.pick.strategy import Attempt, Declined, Made


class AlreadyThere:
    """Ends the request for a branch on which every commit to backport has landed."""

    name = "already there"

    def climb(self, attempt: Attempt) -> Made | AlreadyApplied | Declined:
        """Say what shows that nothing is left to pick."""
        branch, check, landed = attempt.plan.branch, attempt.plan.check, attempt.standing.landed
        if check is not None and check.status is Affectedness.FIXED:
            return AlreadyApplied(branch=branch, how=check.reason)
        if attempt.commits:
            return Declined(_describe(attempt))
        last = landed[attempt.plan.commits[-1]]
        return AlreadyApplied(branch=branch, how=last.how, commit=last.commit)


def _describe(attempt: Attempt) -> str:
    standing, total = attempt.standing, len(attempt.plan.commits)
    found = "; ".join(f"{sha[:12]}: {landed.how}" for sha, landed in standing.landed.items())
    told = [f"{len(standing.landed)} of {total} commits are on the branch and left out ({found})"] if found else []
    told += [f"{sha[:12]} was there: {reverted.how}" for sha, reverted in standing.reverted.items()]
    told += [
        f"{commit[:12]} on the branch names {sha[:12]} as its source, but makes another change"
        for sha, commit in standing.unfounded.items()
    ]
    return "; ".join(told) or "no trailer and no equal patch on the branch"
