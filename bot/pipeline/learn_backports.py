"""What the repository's own history teaches the picks of a request, brought up to date before the first of them.

Owns which branches are read. A help and no more: where it cannot be had, picking goes on without it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from bot.carried.load import CarriedPatch
from bot.commands.targets import newest_first, stable_branches
from bot.errors import GitError
from bot.models import Candidate, Certainty, Opened, Sha, TargetOutcome, Verdict, VerdictOutcome, WouldOpen
from bot.pick.context import PickContext

log = logging.getLogger(__name__)


def learn_backports(context: PickContext, commits: Sequence[Sha] = (), branches: Iterable[str] = ()) -> None:
    """Read which commits of the stable branches are backports, so that a neighbour's can be picked and learned from.

    Where `commits` are to be picked onto `branches`, what these have of them is read for all at once.
    """
    try:
        tips = context.mirror.branches()
        stable = [tips[branch] for branch in stable_branches(tips, context.config)]
        targets = [tips[branch] for branch in branches if branch in tips]
        context.mirror.fetch([*stable, *targets, *commits])
        context.caches.index.read(context.mirror, stable)
        context.caches.histories.announce(commits, targets)
    except GitError as error:
        log.warning("%s", error)


def serving_order(branches: Iterable[str], patch: CarriedPatch | None) -> list[str]:
    """Put the newest branch first: where the original conflicts, its version for the next newer one may apply.

    A carried patch knows the older branches better than a neighbour does, so with one the order stays as asked.
    """
    return list(branches) if patch else newest_first(branches)


def sibling(result: TargetOutcome) -> Candidate | None:
    """Return the candidate of a branch that may stand in for the original on the next one.

    Only what may be opened, was made without a guess and did not fail its proof: a guess that was copied would look
    like a plain pick.
    """
    if not isinstance(result, Opened | WouldOpen) or result.candidate is None or _failed(result.verdict):
        return None
    return result.candidate if is_certain(result.candidate) else None


def _failed(verdict: Verdict | None) -> bool:
    """Say whether a proof ran and spoke against the candidate; one that did not run says nothing."""
    return verdict is not None and verdict.outcome not in (VerdictOutcome.PROVEN, VerdictOutcome.INCONCLUSIVE)


def is_certain(candidate: Candidate) -> bool:
    """Say whether a candidate was made without a guess."""
    return candidate.certainty is Certainty.CERTAIN
