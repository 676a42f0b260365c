"""Replays past backports: each is forecast as it could have been just before it landed, and compared with what landed.

The base commit is the parent of the real backport, and history from the backport's own moment on counts as unknown.
Writes to a quarantine only.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.errors import GitError
from bot.git.batch_trial_picks import Trial, try_picks
from bot.git.repository import Quarantine
from bot.git.trees import commit_paths, differing_paths
from bot.git.trial_pick import CleanPick, EmptyPick, UnmergedPick
from bot.models import AlreadyApplied, Certainty, Sha
from bot.pick.batch_trials import with_splits
from bot.pick.caches import PickCaches
from bot.pick.forecast import Forecaster
from bot.rehearse.compare import find_differences, is_right, show_difference
from bot.rehearse.past_backports import Pair

# The name of the rung that git's own pick is, for replays that need no ladder.
CLEAN = "cherry-pick"
_ABSENT = "an object of it is not here"


class ReplayOutcome(StrEnum):
    """The outcome of a replay, in the words that scripts read.

    A member has the name that `Outlook` and `State` have for the same thing.
    """

    CLEAN = "clean"
    RESOLVABLE = "resolved"
    CONFLICT = "conflict"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """The replay of one pair, compared with the commit that people made.

    `identical` is about every path that the original or the replay changes, `right` about the files in conflict.
    `detail` is why the pair was left out, or how it was resolved. `difference` is a diff from the replay to the commit.
    """

    pair: Pair
    ending: ReplayOutcome
    rung: str = ""
    certain: bool = False
    identical: bool = False
    right: bool = False
    files: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    difference: str = ""
    detail: str = ""
    seconds: float = 0.0


def replay(repository: Quarantine, pairs: Sequence[Pair], caches: PickCaches) -> list[ReplayResult]:
    """Make each backport again and compare it."""
    start = time.perf_counter()
    # A partial clone may lack the parent.
    trees = {pair: tree for pair in pairs if (tree := _tree_of(repository, pair.parent)) is not None}
    trials = try_picks(repository, [(pair.original, tree) for pair, tree in trees.items()], processes=1)
    picks = {pair: trials[pair.original, tree] for pair, tree in trees.items()}
    forecaster = Forecaster(repository=repository, caches=caches, trials=with_splits(repository, trials))
    # The batch is part of each replay's cost.
    share = (time.perf_counter() - start) / max(1, len(pairs))
    replays = []
    for pair in pairs:
        start = time.perf_counter()
        if pair in picks:
            result = _Replayer(forecaster, pair, trees[pair]).run(picks[pair])
        else:
            result = ReplayResult(pair=pair, ending=ReplayOutcome.LEFT_OUT, detail=_ABSENT)
        replays.append(replace(result, seconds=time.perf_counter() - start + share))
    return replays


def _tree_of(repository: Quarantine, commit: Sha) -> Sha | None:
    try:
        return repository.commit(commit).tree
    except GitError:
        return None


@dataclass(frozen=True, slots=True)
class _Replayer:
    forecaster: Forecaster
    pair: Pair
    onto: Sha

    def run(self, trial: Trial | GitError) -> ReplayResult:
        """Compare a clean pick; run the ladder for a conflict."""
        try:
            reason = self._reason_against(trial)
            if reason:
                return ReplayResult(pair=self.pair, ending=ReplayOutcome.LEFT_OUT, detail=reason)
            # Most pairs end here; a ladder would pick the same again.
            if isinstance(trial, CleanPick):
                return self._compare(ReplayOutcome.CLEAN, trial.tree, rung=CLEAN)
            assert isinstance(trial, UnmergedPick)  # noqa: S101 -- for the type checker: the others were left out
            return self._resolve(trial)
        except GitError as error:
            return ReplayResult(pair=self.pair, ending=ReplayOutcome.LEFT_OUT, detail=_unreadable(error))

    def _reason_against(self, trial: Trial | GitError) -> str:
        if isinstance(trial, GitError):
            return _unreadable(trial)
        if isinstance(trial, EmptyPick):
            return "the branch had the change already"
        repository, pair = self.forecaster.repository, self.pair
        original = set(commit_paths(repository, repository.commit(pair.original)))
        backport = set(commit_paths(repository, repository.commit(pair.backport)))
        return "shares no file with its original" if original.isdisjoint(backport) else ""

    def _resolve(self, pick: UnmergedPick) -> ReplayResult:
        pair, repository = self.pair, self.forecaster.repository
        result = self.forecaster.run_ladder(pair.branch, pair.parent, (pair.original,), known_before=pair.date)
        conflicts = tuple(file.path for file in pick.files)
        if result.ending is None:
            return ReplayResult(pair=pair, ending=ReplayOutcome.CONFLICT, files=conflicts)
        rung, detail = result.outcomes[-1].rung, result.outcomes[-1].detail
        if isinstance(result.ending, AlreadyApplied):
            return self._compare(
                ReplayOutcome.RESOLVABLE, self.onto, rung=rung, certain=True, files=conflicts, detail=detail
            )
        candidate = result.ending
        return self._compare(
            ReplayOutcome.RESOLVABLE,
            repository.commit(candidate.commits[-1]).tree,
            rung=rung,
            certain=candidate.certainty is Certainty.CERTAIN,
            files=tuple(dict.fromkeys([*conflicts, *(resolution.path for resolution in candidate.resolutions)])),
            detail=detail,
        )

    def _compare(
        self,
        ending: ReplayOutcome,
        tree: Sha,
        *,
        rung: str,
        certain: bool = False,
        files: tuple[str, ...] = (),
        detail: str = "",
    ) -> ReplayResult:
        repository = self.forecaster.repository
        reference = repository.commit(self.pair.backport).tree
        paths = {*commit_paths(repository, repository.commit(self.pair.original)), *files}
        differs = find_differences(
            repository, tree, reference, paths | set(differing_paths(repository, self.onto, tree))
        )
        return ReplayResult(
            pair=self.pair,
            ending=ending,
            rung=rung,
            certain=certain,
            identical=not differs,
            right=is_right(repository, tree, reference, files),
            files=files,
            differs=differs,
            difference=show_difference(repository, tree, reference, differs),
            detail=detail,
        )


def _unreadable(error: GitError) -> str:
    return "git could not try it" if error.code else _ABSENT
