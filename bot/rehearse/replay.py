"""One past backport made again by the ladder, as far as could be known on the day before it landed.

Owns what the ladder is told: the parent of the real backport for a base commit, and no history from the backport's
own moment on. Writes into a quarantine only.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.errors import GitError
from bot.git.batch_trial_picks import Trial, try_picks
from bot.git.conflict_regions import Split, split_all
from bot.git.merge_trees import Trees
from bot.git.repository import Quarantined
from bot.git.trees import commit_paths, differing_paths
from bot.git.trial_pick import CleanPick, EmptyPick, UnmergedPick
from bot.models import AlreadyApplied, Certainty, MergeMethod, Sha, Signature, TargetPlan
from bot.pick.ladder import run_ladder
from bot.pick.strategy import Attempt, PickCaches
from bot.rehearse.compare import differing, is_right, show_difference
from bot.rehearse.past_backports import Pair

_NOBODY = Signature("backport-bot", "backport-bot@localhost", "0 +0000")
CLEAN = "cherry-pick"
_ABSENT = "an object of it is not here"


class Ending(StrEnum):
    """What became of a pair."""

    CLEAN = "clean"
    RESOLVED = "resolved"
    CONFLICT = "conflict"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The ending of one pair, held against what people committed.

    `identical`: every path that the original or the replay touches. `right`: the files that were in conflict. `detail`
    is why it was left out, or how it was resolved. `difference` is a diff from what was made to what was committed.
    """

    pair: Pair
    ending: Ending
    rung: str = ""
    certain: bool = False
    identical: bool = False
    right: bool = False
    files: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    difference: str = ""
    detail: str = ""
    seconds: float = 0.0


def replay(repository: Quarantined, pairs: Sequence[Pair], caches: PickCaches) -> list[Replayed]:
    """Make each backport again and compare it."""
    started = time.perf_counter()
    onto = {pair: tree for pair in pairs if (tree := _tree_of(repository, pair.parent)) is not None}
    trials = try_picks(repository, [(pair.original, tree) for pair, tree in onto.items()], processes=1)
    split = split_all(repository, [trial for trial in trials.values() if isinstance(trial, UnmergedPick)])
    splits = {trees: each for trees, each in split.items() if not isinstance(each, GitError)}
    share = (time.perf_counter() - started) / max(1, len(pairs))
    found = []
    for pair in pairs:
        started = time.perf_counter()
        if pair in onto:
            replayed = _Replay(repository, pair, onto[pair], caches, splits).run(trials[pair.original, onto[pair]])
        else:
            replayed = Replayed(pair=pair, ending=Ending.LEFT_OUT, detail=_ABSENT)
        found.append(replace(replayed, seconds=time.perf_counter() - started + share))
    return found


def _tree_of(repository: Quarantined, commit: Sha) -> Sha | None:
    try:
        return repository.commit(commit).tree
    except GitError:
        return None


@dataclass(frozen=True, slots=True)
class _Replay:
    repository: Quarantined
    pair: Pair
    onto: Sha
    caches: PickCaches
    splits: dict[Trees, Split]

    def run(self, trial: Trial | GitError) -> Replayed:
        """Compare a clean pick; climb the ladder for a conflict."""
        try:
            reason = self._reason_against(trial)
            if reason:
                return Replayed(pair=self.pair, ending=Ending.LEFT_OUT, detail=reason)
            if isinstance(trial, CleanPick):
                return self._compared(Ending.CLEAN, trial.tree, rung=CLEAN)
            assert isinstance(trial, UnmergedPick)  # noqa: S101 -- for the type checker: the others were left out
            return self._climbed(trial)
        except GitError as error:
            return Replayed(pair=self.pair, ending=Ending.LEFT_OUT, detail=_unreadable(error))

    def _reason_against(self, trial: Trial | GitError) -> str:
        if isinstance(trial, GitError):
            return _unreadable(trial)
        if isinstance(trial, EmptyPick):
            return "the branch had the change already"
        repository, pair = self.repository, self.pair
        original = set(commit_paths(repository, repository.commit(pair.original)))
        landed = set(commit_paths(repository, repository.commit(pair.backport)))
        return "shares no file with its original" if original.isdisjoint(landed) else ""

    def _climbed(self, unmerged: UnmergedPick) -> Replayed:
        attempt = self._attempt(unmerged)
        climbed = run_ladder(attempt)
        contested = tuple(file.path for file in unmerged.files)
        if climbed.ending is None:
            return Replayed(pair=self.pair, ending=Ending.CONFLICT, files=contested)
        rung, detail = climbed.outcomes[-1].rung, climbed.outcomes[-1].detail
        if isinstance(climbed.ending, AlreadyApplied):
            return self._compared(Ending.RESOLVED, self.onto, rung=rung, certain=True, files=contested, detail=detail)
        made = climbed.ending
        return self._compared(
            Ending.RESOLVED,
            self.repository.commit(made.commits[-1]).tree,
            rung=rung,
            certain=made.certainty is Certainty.CERTAIN,
            files=tuple(dict.fromkeys([*contested, *(each.path for each in made.resolutions)])),
            detail=detail,
        )

    def _attempt(self, unmerged: UnmergedPick) -> Attempt:
        pair = self.pair
        plan = TargetPlan(
            branch=pair.branch,
            base_commit=pair.parent,
            backport_branch="",
            commits=(pair.original,),
            merge_method=MergeMethod.SQUASH,
        )
        return Attempt(
            repository=self.repository,
            plan=plan,
            committer=_NOBODY,
            commits=(pair.original,),
            known_before=pair.date,
            caches=self.caches,
            trials={(pair.original, self.onto): unmerged},
            splits=self.splits,
        )

    def _compared(
        self,
        ending: Ending,
        tree: Sha,
        *,
        rung: str,
        certain: bool = False,
        files: tuple[str, ...] = (),
        detail: str = "",
    ) -> Replayed:
        repository, landed = self.repository, self.repository.commit(self.pair.backport).tree
        paths = {*commit_paths(repository, repository.commit(self.pair.original)), *files}
        differs = differing(repository, tree, landed, paths | set(differing_paths(repository, self.onto, tree)))
        return Replayed(
            pair=self.pair,
            ending=ending,
            rung=rung,
            certain=certain,
            identical=not differs,
            right=is_right(repository, tree, landed, files),
            files=files,
            differs=differs,
            difference=show_difference(repository, tree, landed, differs),
            detail=detail,
        )


def _unreadable(error: GitError) -> str:
    return "git could not try it" if error.code else _ABSENT
