"""The strategy "already there": every commit to backport has landed on the branch, so there is nothing to pick.

It only looks at history. A carried patch that finds the branch fixed ends the plan before any strategy, and a pick that
comes out empty is found by the strategies below.
"""

from __future__ import annotations

from bot.models import AlreadyApplied
from bot.pick.attempt import Attempt
from bot.pick.strategy import NotApplicable, Picked


class AlreadyThere:
    """Ends the request for a branch on which every commit to backport has landed."""

    name = "already there"

    def apply(self, attempt: Attempt) -> Picked | AlreadyApplied | NotApplicable:
        """Return AlreadyApplied with the commit that shows it, if nothing is left to pick."""
        if attempt.commits:
            return NotApplicable(_describe(attempt))
        last = attempt.landing.landed[attempt.plan.commits[-1]]
        return AlreadyApplied(target=attempt.plan.branch, how=last.reason, commit=last.commit)


def _describe(attempt: Attempt) -> str:
    status, total = attempt.landing, len(attempt.plan.commits)
    list_of_landed = "; ".join(f"{sha[:12]}: {commit.reason}" for sha, commit in status.landed.items())
    sentences = (
        [f"{len(status.landed)} of {total} commits are on the branch and left out ({list_of_landed})"]
        if list_of_landed
        else []
    )
    sentences += [f"{sha[:12]} was there: {revert.reason}" for sha, revert in status.reverted.items()]
    sentences += [
        f"{commit[:12]} on the branch names {sha[:12]} as its source, but makes another change"
        for sha, commit in status.unfounded.items()
    ]
    return "; ".join(sentences) or "no trailer and no equal patch on the branch"
