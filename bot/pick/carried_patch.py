"""The strategy "carried patch": it applies the fix by rules if its lines do not apply.

This module turns the outcome into a commit. `bot.carried` has the rules.
"""

from __future__ import annotations

from bot.carried.apply import Applied, StepFailure, apply
from bot.git.commit_message import backport_message
from bot.git.trees import CommitTree
from bot.models import Affectedness, AlreadyApplied, Fidelity, Method, Sha
from bot.pick.attempt import Attempt
from bot.pick.strategy import NotApplicable, Picked
from bot.text.markdown import count


class CarriedPatchStrategy:
    """Applies the plan's carried patch to the base commit."""

    name = "carried patch"

    def apply(self, attempt: Attempt) -> Picked | AlreadyApplied | NotApplicable:
        """Write the patch's changes as one commit, however many commits the original had."""
        name = attempt.plan.patch
        if name is None:
            return NotApplicable("there is no carried patch for this original")
        patch = attempt.patches.get(name)
        if patch is None:
            return NotApplicable(f"the carried patch {name} is not loaded")
        outcome = apply(CommitTree(attempt.repository, attempt.plan.base_commit), patch)
        if isinstance(outcome, StepFailure):
            return NotApplicable(str(outcome))
        if not outcome.changes:
            return self._already_fixed(attempt, outcome)
        return Picked(
            commits=(_write(attempt, name, outcome),),
            method=Method.CARRIED_PATCH,
            fidelity=Fidelity.ADAPTED,
            detail=f"{name}: {count(len(outcome.steps), 'step')} changed {', '.join(sorted(outcome.changes))}",
        )

    def _already_fixed(self, attempt: Attempt, outcome: Applied) -> AlreadyApplied | NotApplicable:
        if outcome.after.status is Affectedness.FIXED:
            return AlreadyApplied(target=attempt.plan.branch, how=outcome.after.reason)
        return NotApplicable(f"{outcome.patch} changes nothing here: {outcome.after.reason}")


def _write(attempt: Attempt, name: str, outcome: Applied) -> Sha:
    original = attempt.repository.commit(attempt.plan.commits[-1])
    # A reader of the branch must see why the commit differs from its original.
    note = f"Applied to {attempt.plan.branch} by the carried patch {name}, not by its original lines."
    return attempt.repository.write_commit(
        attempt.plan.base_commit,
        outcome.changes,
        message=backport_message(original.message, attempt.plan.commits, (note,)),
        author=original.author,
        committer=attempt.committer,
    )
