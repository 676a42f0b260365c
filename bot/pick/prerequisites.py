"""Finds the prerequisites of a pick: the smallest set of earlier commits of main that makes it possible.

Every set was tried. Best first: git picks the set and then the originals without a conflict; the originals conflict in
fewer places and the ladder resolves them; everything applies, but of sweeps only the part in the originals' own files
is taken.
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
"""Shares of the time. Of the sets that apply, 95 of 100 are found in less than half of it."""

_SHORTEST_TRIAL = 0.15
"""Seconds without which no climb is begun: most take less, and none is ended on the way."""

RunLadder = Callable[[Attempt], Picked | None]
"""Runs the ladder for an attempt. Returns None if no strategy applies."""


@dataclass(frozen=True, slots=True)
class Prerequisites:
    """A verified set, oldest first. `certainty` is that of the pick with it, None if all of it applies as it is."""

    commits: tuple[RelatedCommit, ...] = ()
    certainty: Certainty | None = None


NO_PREREQUISITES = Prerequisites()


def find_prerequisites(
    attempt: Attempt, histories: Histories, first: UnmergedPick, *, max_size: int, run_ladder: RunLadder, propose: bool
) -> Prerequisites:
    """Return the best set of at most `max_size` commits of main, the smallest of its kind.

    Without `propose` only a certain pick counts; `run_ladder` must respect that too. The result is empty if there is no
    set, or if none is found before the histories' deadline.
    """
    seconds = histories.seconds_left
    search = PrerequisiteSearch(attempt, histories, max_size, reserve=seconds * (_FOR_RESOLVING + _FOR_PARTS))
    prerequisites = search.find(first)
    if prerequisites:
        return Prerequisites(search.related_commits(prerequisites))
    # A part of a commit is always a proposal.
    in_part = propose and search.has_left_out_sweep
    search.reserve = seconds * _FOR_PARTS if in_part else 0.0
    resolvable = _find_resolvable(search, first, run_ladder)
    return resolvable or (_find_in_part(search, first) if in_part else None) or NO_PREREQUISITES


def _find_in_part(search: PrerequisiteSearch, first: UnmergedPick) -> Prerequisites | None:
    """Return the smallest set in which sweeps are taken only in files that the originals change or conflict in."""
    repository = search.attempt.repository
    paths = {path for sha in search.attempt.commits for path in commit_paths(repository, repository.commit(sha))}
    paths |= {file.path for file in first.files}
    paths.difference_update(search.attempt.left_out())
    part_search = PrerequisiteSearch(
        search.attempt, search.histories, search.max_size, reserve=0.0, shared_paths=frozenset(paths)
    )
    prerequisites = part_search.find(first)
    return Prerequisites(part_search.related_commits(prerequisites), Certainty.PROPOSED) if prerequisites else None


def _find_resolvable(search: PrerequisiteSearch, first: UnmergedPick, run_ladder: RunLadder) -> Prerequisites | None:
    """Return the smallest near set after which the ladder resolves the originals; a certain one comes first."""
    proposal: Prerequisites | None = None
    longest = _SHORTEST_TRIAL
    for trial in search.near_sets:
        # A ladder is never interrupted, so none starts that may outlast the time left.
        if search.seconds_left <= longest:
            break
        if not _is_near(search.attempt, trial, first) or not search.is_lacking(trial.commits):
            continue
        began = time.monotonic()
        candidate = _resolve(search.attempt, trial.commits, run_ladder)
        longest = max(longest, time.monotonic() - began)
        if candidate and candidate.certainty is Certainty.CERTAIN:
            return Prerequisites(search.related_commits(trial.commits), candidate.certainty)
        if candidate and not proposal:
            proposal = Prerequisites(search.related_commits(trial.commits), candidate.certainty)
    return proposal


def _is_near(attempt: Attempt, trial: SetTrial, first: UnmergedPick) -> bool:
    """Return True if the ladder may resolve the conflicts of a set.

    A conflict of a prerequisite itself counts only if its resolution is certain, and only whole files are.
    """
    if trial.conflict is None:
        return False
    if trial.conflict.commit in trial.commits:
        return all(file.kind is ConflictKind.MODIFY_DELETE for file in trial.conflict.files)
    return trial.distance < SetTrial((), first).distance or bool(attempt.backports(trial.conflict.commit))


def _resolve(attempt: Attempt, prerequisites: PrerequisiteSet, run_ladder: RunLadder) -> Picked | None:
    """Run the ladder for the originals on a base with the prerequisites, if the ladder is certain about these."""
    # A trial runs no tool, because that takes minutes. A carried patch belongs to the originals alone.
    attempt = replace(attempt, regenerator=None)
    prerequisite_plan = replace(attempt.plan, commits=prerequisites, patch=None, check=None)
    base = run_ladder(replace(attempt, plan=prerequisite_plan))
    if base is None or base.certainty is not Certainty.CERTAIN:
        return None
    plan = replace(attempt.plan, base_commit=base.commits[-1])
    return run_ladder(replace(attempt, plan=plan, forks={}))
