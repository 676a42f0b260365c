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
from bot.pick.attempt import Attempt
from bot.pick.describe_conflict import Histories
from bot.pick.prerequisite_search import PrerequisiteSearch, PrerequisiteSet, SetTrial
from bot.pick.strategy import Picked

_FOR_RESOLVING, _FOR_PARTS = 0.2, 0.25
"""Shares of the time: of the sets that apply 95 in 100 are found in less than half of it."""

_SHORTEST_TRIAL = 0.15
"""Seconds without which no climb is begun: most take less, and none is ended on the way."""

RunLadder = Callable[[Attempt], Picked | None]
"""Climbs the ladder for an attempt; None where no rung makes a candidate."""


@dataclass(frozen=True, slots=True)
class Prerequisites:
    """A verified set, oldest first. `certainty` is that of the pick with it, None if all of it applies as it is."""

    commits: tuple[RelatedCommit, ...] = ()
    certainty: Certainty | None = None


NO_PREREQUISITES = Prerequisites()


def find_prerequisites(
    attempt: Attempt, histories: Histories, first: UnmergedPick, *, max_size: int, run_ladder: RunLadder, propose: bool
) -> Prerequisites:
    """Return the best set found of at most `max_size` commits of main, the smallest of its kind.

    Without `propose` only what is certain counts; `run_ladder` has to see to that for itself, too. Empty where there is
    none, or none was found before the histories' deadline.
    """
    seconds = histories.seconds_left
    search = PrerequisiteSearch(attempt, histories, max_size, reserve=seconds * (_FOR_RESOLVING + _FOR_PARTS))
    prerequisites = search.find(first)
    if prerequisites:
        return Prerequisites(search.related_commits(prerequisites))
    in_part = propose and search.has_left_out_sweep
    search.reserve = seconds * _FOR_PARTS if in_part else 0.0
    resolvable = _find_resolvable(search, first, run_ladder)
    return resolvable or (_find_in_part(search, first) if in_part else None) or NO_PREREQUISITES


def _find_in_part(search: PrerequisiteSearch, first: UnmergedPick) -> Prerequisites | None:
    """Return the smallest set with a sweep's part in the files that the originals change or conflict in."""
    repository = search.attempt.repository
    paths = {path for sha in search.attempt.commits for path in commit_paths(repository, repository.commit(sha))}
    paths |= {file.path for file in first.files}
    part_search = PrerequisiteSearch(
        search.attempt, search.histories, search.max_size, reserve=0.0, shared_paths=frozenset(paths)
    )
    prerequisites = part_search.find(first)
    return Prerequisites(part_search.related_commits(prerequisites), Certainty.PROPOSED) if prerequisites else None


def _find_resolvable(search: PrerequisiteSearch, first: UnmergedPick, run_ladder: RunLadder) -> Prerequisites | None:
    """Return the smallest of the near sets after which the rest can be resolved, a certain one first."""
    proposal: Prerequisites | None = None
    longest = _SHORTEST_TRIAL
    for trial in search.near_sets:
        if search.seconds_left <= longest:
            break
        if not _is_near(search.attempt, trial, first) or not search.is_lacking(trial.commits):
            continue
        began = time.monotonic()
        picked = _resolve(search.attempt, trial.commits, run_ladder)
        longest = max(longest, time.monotonic() - began)
        if picked and picked.certainty is Certainty.CERTAIN:
            return Prerequisites(search.related_commits(trial.commits), picked.certainty)
        if picked and not proposal:
            proposal = Prerequisites(search.related_commits(trial.commits), picked.certainty)
    return proposal


def _is_near(attempt: Attempt, trial: SetTrial, first: UnmergedPick) -> bool:
    """Say whether the ladder may make something of a set.

    Of conflicts of the prerequisites themselves only what is certain counts, and that is about whole files.
    """
    if trial.conflict is None:
        return False
    if trial.conflict.commit in trial.commits:
        return all(file.kind is ConflictKind.MODIFY_DELETE for file in trial.conflict.files)
    return trial.distance < SetTrial((), first).distance or bool(attempt.backports(trial.conflict.commit))


def _resolve(attempt: Attempt, prerequisites: PrerequisiteSet, run_ladder: RunLadder) -> Picked | None:
    """Climb the ladder with the originals on a base that has the prerequisites, if these are certain."""
    # No tool is run for a trial: that takes minutes. The carried patch, if there is one, is of the originals.
    attempt = replace(attempt, regenerator=None)
    alone = replace(attempt.plan, commits=prerequisites, patch=None, check=None)
    base = run_ladder(replace(attempt, plan=alone, commits=prerequisites))
    if base is None or base.certainty is not Certainty.CERTAIN:
        return None
    plan = replace(attempt.plan, base_commit=base.commits[-1])
    return run_ladder(replace(attempt, plan=plan, forks={}))
