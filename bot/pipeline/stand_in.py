"""Says which candidate of one branch may stand in for the original on the next branch of the same request."""

from __future__ import annotations

from bot.models import Candidate, Certainty, Opened, TargetPlan, Verdict, VerdictOutcome, WouldOpen
from bot.pipeline.result_store import Decision


def may_stand_in(candidate: Candidate, decision: Decision | None) -> bool:
    """Say whether a branch's candidate may stand in for the original on the next branch.

    Only what may be opened, was made without a guess and did not fail its proof: a guess that was copied would look
    like a plain pick. While the branch has no outcome yet, its candidate counts: what is made from it names it, and is
    published only after it.
    """
    if candidate.certainty is not Certainty.CERTAIN:
        return False
    if decision is None or isinstance(decision, TargetPlan):
        return True
    return isinstance(decision, Opened | WouldOpen) and not _speaks_against(decision.verdict)


def _speaks_against(verdict: Verdict | None) -> bool:
    """Say whether a proof ran and spoke against the candidate; one that did not run says nothing."""
    silent_outcomes = (VerdictOutcome.PROVEN, VerdictOutcome.INCONCLUSIVE, VerdictOutcome.NO_TESTS)
    return verdict is not None and verdict.outcome not in silent_outcomes
