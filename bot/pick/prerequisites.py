"""What a pick is missing: the smallest set of earlier commits of main after which it can be made, verified by trial.

Owns which sets count, the best first: git picks every one of it and then the originals without a conflict; the
originals conflict in fewer places than they do alone, and the ladder resolves those; the originals apply, but of
sweeps over the project only the part in their own files was taken.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.git.trees import commit_paths
from bot.git.trial_pick import UnmergedPick
from bot.models import Certainty, ConflictKind, RelatedCommit
from bot.pick.describe_conflict import Histories
from bot.pick.prerequisite_search import PrerequisiteSearch, PrerequisiteSet, SetTrial
from bot.pick.strategy import Attempt, Picked

_FOR_RESOLVING, _FOR_PARTS = 0.2, 0.25
"""Shares of the time: of the sets that apply 95 in 100 are found in less than half of it."""

_LEAST = 0.15
"""Seconds without which no climb is begun: most take less, and none is ended on the way."""

RunLadder = Callable[[Attempt], Picked | None]
"""Climbs the ladder for an attempt; None where no rung makes a candidate."""


@dataclass(frozen=True, slots=True)
class Prerequisites:
    """A verified set, oldest first; `rest` is how sure the pick with it is, None where all of it applies as it is."""

    commits: tuple[RelatedCommit, ...] = ()
    rest: Certainty | None = None


NONE = Prerequisites()


def find_prerequisites(
    attempt: Attempt, histories: Histories, first: UnmergedPick, *, most: int, run_ladder: RunLadder, propose: bool
) -> Prerequisites:
    """Return the best set found of at most `most` commits of main, the smallest of its kind.

    Without `propose` only what is certain counts; `run_ladder` has to see to that for itself, too. Empty where there is
    none, or none was found before the histories' deadline.
    """
    seconds = histories.left
    search = PrerequisiteSearch(attempt, histories, most, reserve=seconds * (_FOR_RESOLVING + _FOR_PARTS))
    chosen = search.find(first)
    if chosen:
        return Prerequisites(search.named(chosen))
    in_part = propose and search.left_out
    search.reserve = seconds * _FOR_PARTS if in_part else 0.0
    resolvable = _find_resolvable(search, first, run_ladder)
    return resolvable or (_find_in_part(search, first) if in_part else None) or NONE


def _find_in_part(whole: PrerequisiteSearch, first: UnmergedPick) -> Prerequisites | None:
    """Return the smallest set with a sweep's part in the files that the originals change or conflict in."""
    repository = whole.attempt.repository
    shared = {path for sha in whole.attempt.commits for path in commit_paths(repository, repository.commit(sha))}
    shared |= {file.path for file in first.files}
    search = PrerequisiteSearch(whole.attempt, whole.histories, whole.most, reserve=0.0, shared=frozenset(shared))
    chosen = search.find(first)
    return Prerequisites(search.named(chosen), Certainty.PROPOSED) if chosen else None


def _find_resolvable(search: PrerequisiteSearch, first: UnmergedPick, run_ladder: RunLadder) -> Prerequisites | None:
    """Return the smallest of the near sets after which the rest can be resolved, a certain one first."""
    proposed: Prerequisites | None = None
    longest = _LEAST
    for each in search.near:
        if search.left <= longest:
            break
        if not _is_near(search.attempt, each, first) or not search.is_lacking(each.chosen):
            continue
        began = time.monotonic()
        made = _resolve(search.attempt, each.chosen, run_ladder)
        longest = max(longest, time.monotonic() - began)
        if made and made.certainty is Certainty.CERTAIN:
            return Prerequisites(search.named(each.chosen), made.certainty)
        if made and not proposed:
            proposed = Prerequisites(search.named(each.chosen), made.certainty)
    return proposed


def _is_near(attempt: Attempt, each: SetTrial, first: UnmergedPick) -> bool:
    """Say whether the ladder may make something of a set.

    Of conflicts of the prerequisites themselves only what is certain counts, and that is about whole files.
    """
    if each.unmerged is None:
        return False
    if each.unmerged.commit in each.chosen:
        return all(file.kind is ConflictKind.MODIFY_DELETE for file in each.unmerged.files)
    return each.distance < SetTrial((), first).distance or bool(attempt.backports(each.unmerged.commit))


def _resolve(attempt: Attempt, chosen: PrerequisiteSet, run_ladder: RunLadder) -> Picked | None:
    """Climb the ladder with the originals on a base that has the prerequisites, if these are certain."""
    # No tool is run for a trial: that takes minutes. The carried patch, if there is one, is of the originals.
    attempt = replace(attempt, regenerator=None)
    alone = replace(attempt.plan, commits=chosen, patch=None, check=None)
    brought = run_ladder(replace(attempt, plan=alone, commits=chosen))
    if brought is None or brought.certainty is not Certainty.CERTAIN:
        return None
    plan = replace(attempt.plan, base_commit=brought.commits[-1])
    return run_ladder(replace(attempt, plan=plan, forks={}))
