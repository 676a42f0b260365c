"""The first rung: the target branch has the change.

Owns what counts as having it before anything is tried. That a pick comes out empty is seen by the rungs that pick.
"""

from __future__ import annotations

from bot.model import Affectedness, AlreadyApplied
from bot.pick.rung import Attempt, Declined, Made


class AlreadyThere:
    """Ends the request for a branch on which every commit to backport has landed."""

    name = "already there"

    def climb(self, attempt: Attempt) -> Made | AlreadyApplied | Declined:
        """Say what shows that nothing is left to pick."""
        branch, check, landed = attempt.plan.branch, attempt.plan.check, attempt.landed
        if check is not None and check.status is Affectedness.FIXED:
            return AlreadyApplied(branch=branch, how=check.reason)
        if attempt.commits:
            return Declined(_describe(attempt))
        last = landed[attempt.plan.commits[-1]]
        return AlreadyApplied(branch=branch, how=last.how, commit=last.commit)


def _describe(attempt: Attempt) -> str:
    if not attempt.landed:
        return "no trailer and no equal patch on the branch"
    found = "; ".join(f"{sha[:12]}: {landed.how}" for sha, landed in attempt.landed.items())
    return f"{len(attempt.landed)} of {len(attempt.plan.commits)} commits are on the branch and left out ({found})"
