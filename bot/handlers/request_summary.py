"""Sums up a handled trigger, and shows the sum to the requester as a reaction."""

from __future__ import annotations

from dataclasses import dataclass

from bot.models import Status, TargetOutcome
from bot.pipeline.context import RepositoryContext

_GOOD_OUTCOMES = {
    Status.OPENED,
    Status.NOT_AFFECTED,
    Status.ALREADY_APPLIED,
    Status.NOTHING_LEFT,
    Status.WOULD_OPEN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSummary:
    """Each target branch's outcome, what was refused, and what is still to come.

    `refused`: the comments that asked for something refused; None stands for labels. `under_way`: another process ends
    some of the branches. `deferred`: the request waits for the merge.
    """

    results: tuple[TargetOutcome, ...] = ()
    refused: frozenset[int | None] = frozenset()
    under_way: bool = False
    deferred: bool = False

    def __add__(self, other: RequestSummary) -> RequestSummary:
        return RequestSummary(
            results=self.results + other.results,
            refused=self.refused | other.refused,
            under_way=self.under_way or other.under_way,
            deferred=self.deferred or other.deferred,
        )


def is_good(outcome: TargetOutcome) -> bool:
    """Return whether a target branch has the change, needs none, or would get it."""
    return outcome.status in _GOOD_OUTCOMES


def post_outcome_reaction(summary: RequestSummary, comment_id: int | None, context: RepositoryContext) -> None:
    """React to the comment that asked with how it all ended; do nothing while more is to come.

    A request that is handled again, after a failure, keeps the reaction of its last ending alone.
    """
    if comment_id is None or summary.under_way:
        return
    if summary.refused or not all(map(is_good, summary.results)):
        context.github.react(comment_id, "confused", instead_of="rocket")
    elif not summary.deferred:
        context.github.react(comment_id, "rocket", instead_of="confused")
