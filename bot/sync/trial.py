"""Trials: what would come of bringing missing originals to one branch. Keeps nothing.

The order of the questions is one of cost: the carried patch's rules, the plain pick (one git process for all), the
ladder, and what has to come first: by the carried patch, or other missing originals as prerequisites.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from bot.carried.companions import patches_to_apply_first
from bot.carried.load import CarriedPatch
from bot.errors import GitError
from bot.git.batch_trial_picks import Trial, try_picks
from bot.git.repository import Quarantine
from bot.git.trees import CommitTree
from bot.git.trial_pick import CleanPick, EmptyPick, UnmergedPick, try_pick
from bot.models import (
    AlreadyApplied,
    Candidate,
    Certainty,
    Conflict,
    ConflictFile,
    Method,
    NotAffected,
    NothingLeft,
    Sha,
    TargetPlan,
)
from bot.pick.forecast import Forecaster
from bot.sync.types import Original, State
from bot.text.globs import matches_any

_MOST_PREREQUISITES = 8
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class TrialResult:
    """The result of a trial. `needs` are the last commits of the originals that must land first, oldest first."""

    state: State
    reason: str
    needs: tuple[Sha, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRunner:
    """Tries originals on one branch at its tip.

    `patch_of` are carried patches by the original's position, `original_of` the commits of their originals by the
    patch's name. Without `thorough` a conflict is only reported and not resolved, which takes a hundredth of the time.
    """

    forecaster: Forecaster
    branch: str
    tip: Sha
    patch_of: Mapping[int, CarriedPatch]
    original_of: Mapping[str, Sha]
    thorough: bool = True

    @property
    def repository(self) -> Quarantine:
        """The quarantine that trials are made in."""
        return self.forecaster.repository

    def run(self, originals: Sequence[Original], backlog: Sequence[Original]) -> Iterator[tuple[int, TrialResult]]:
        """Yield results by position. `backlog` is all that the branch lacks, so any of it may be a prerequisite.

        `originals` are those of it to try. Both are ordered oldest first.
        """
        tree = self.repository.commit(self.tip).tree
        # One git process picks all that are a single commit, and most of them end with that.
        single = [original.commits[0] for original in originals if len(original.commits) == 1]
        trials = try_picks(self.repository, [(sha, tree) for sha in single], leave_out=self.forecaster.leave_out)
        for original in originals:
            yield original.position, self._try(original, backlog, trials.get((original.commits[0], tree)))

    def _try(self, original: Original, backlog: Sequence[Original], trial: Trial | GitError | None) -> TrialResult:
        patch = self.patch_of.get(original.position)
        plan = self.forecaster.plan(self.branch, self.tip, original.commits, patch)
        if not isinstance(plan, TargetPlan):
            return _describe(plan)
        if original.paths and not self._kept(original):
            return TrialResult(State.NOTHING_LEFT, nothing_left_reason(original.paths))
        if isinstance(trial, EmptyPick):
            return TrialResult(State.ALREADY_APPLIED, "picking it changes nothing on the branch")
        # A carried patch's rules are to be asked again after a clean pick, which the ladder does.
        if isinstance(trial, CleanPick) and plan.check is None:
            return TrialResult(State.CLEAN, f"the cherry-pick applies{self._left_out(original)}")
        if isinstance(trial, UnmergedPick) and not self.thorough:
            return TrialResult(State.CONFLICT, _conflict_reason([file.conflict_file for file in trial.files]))
        return self._forecast(plan, original, backlog)

    def _kept(self, original: Original) -> list[str]:
        """Return the files of an original that are not left out."""
        return [path for path in original.paths if not matches_any(self.forecaster.leave_out, path)]

    def _left_out(self, original: Original) -> str:
        paths = sorted({*original.paths}.difference(self._kept(original)))
        return f" without {_list(paths)}" if paths else ""

    def _forecast(self, plan: TargetPlan, original: Original, backlog: Sequence[Original]) -> TrialResult:
        try:
            forecast = self.forecaster.pick(plan)
            if isinstance(forecast, Conflict):
                return self._conflict(forecast, original, backlog)
            result = _describe(forecast)
            reason = f"{result.reason}{self._left_out(original)}" if result.state is State.CLEAN else result.reason
            return replace(result, reason=reason)
        except GitError as error:
            # A blob may be missing in a partial clone; the other originals can be tried.
            return TrialResult(State.CONFLICT, f"it could not be tried: {error.message}")

    def _conflict(self, conflict: Conflict, original: Original, backlog: Sequence[Original]) -> TrialResult:
        reason = _conflict_reason(conflict.files)
        patch = self.patch_of.get(original.position)
        first = self._originals_to_bring_first(patch) if patch else ()
        if patch and first:
            return TrialResult(State.NEEDS, f"{reason}; the carried patch {patch.name} is for it", first)
        prerequisites = self._prerequisites(original, backlog)
        if prerequisites:
            return TrialResult(State.NEEDS, reason, prerequisites)
        # A part of a sweep cannot be waited for: no original brings it alone.
        if conflict.prerequisites and not any(commit.paths for commit in conflict.prerequisites):
            return TrialResult(State.NEEDS, reason, tuple(commit.sha for commit in conflict.prerequisites))
        return TrialResult(State.CONFLICT, reason)

    def _originals_to_bring_first(self, patch: CarriedPatch) -> tuple[Sha, ...]:
        """Return the originals after which a carried patch applies, by what the patch says; none if that is unknown."""
        tree = CommitTree(self.repository, self.tip)
        names = [first.name for first in patches_to_apply_first(tree, patch, self.forecaster.patches)]
        # One that main does not have cannot be brought.
        return (
            tuple(self.original_of[name] for name in names) if all(name in self.original_of for name in names) else ()
        )

    def _prerequisites(self, original: Original, backlog: Sequence[Original]) -> tuple[Sha, ...]:
        """Return the fewest missing originals found on top of which this one applies; none if they are too many."""
        limit = self.forecaster.max_prerequisites
        # The latest ones are the likeliest, and each costs a series of picks.
        prerequisites = earlier(original, backlog)[-_MOST_PREREQUISITES:] if limit else []
        if not prerequisites or not self._applies([*prerequisites, original]):
            return ()
        for candidate in tuple(prerequisites):
            fewer = [prerequisite for prerequisite in prerequisites if prerequisite is not candidate]
            if self._applies([*fewer, original]):
                prerequisites = fewer
        return tuple(prerequisite.commits[-1] for prerequisite in prerequisites) if len(prerequisites) <= limit else ()

    def _applies(self, originals: Sequence[Original]) -> bool:
        tree = self.repository.commit(self.tip).tree
        for sha in (sha for original in originals for sha in original.commits):
            trial = try_pick(self.repository, sha, tree, self.forecaster.leave_out)
            if isinstance(trial, CleanPick):
                tree = trial.tree
            elif not isinstance(trial, EmptyPick):
                return False
        return True


def earlier(original: Original, backlog: Sequence[Original]) -> list[Original]:
    """Return the older ones of the backlog that also change a file that this one changes."""
    paths = frozenset(original.paths)
    return [older for older in backlog if older.position < original.position and not paths.isdisjoint(older.paths)]


def _conflict_reason(files: Sequence[ConflictFile]) -> str:
    paths = ", ".join(f"`{file.path}` ({file.kind.value})" for file in files[:_MOST_NAMED])
    surplus = f" and {len(files) - _MOST_NAMED} more" if len(files) > _MOST_NAMED else ""
    return f"the cherry-pick conflicts in {paths or 'how directories were renamed'}{surplus}"


def nothing_left_reason(paths: Sequence[str]) -> str:
    """Say why nothing of an original is brought to a branch."""
    return f"`pick.leave_out` leaves out all that it changes: {_list(paths)}"


def _list(paths: Sequence[str]) -> str:
    surplus = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return f"{', '.join(f'`{path}`' for path in paths[:_MOST_NAMED])}{surplus}"


def _describe(forecast: NotAffected | AlreadyApplied | NothingLeft | Candidate) -> TrialResult:
    match forecast:
        case NothingLeft(left_out=left_out):
            return TrialResult(State.NOTHING_LEFT, nothing_left_reason(left_out))
        case NotAffected(check=check):
            return TrialResult(State.NOT_AFFECTED, check.reason)
        case AlreadyApplied(how=how):
            return TrialResult(State.ALREADY_APPLIED, how)
        case Candidate():
            return _describe_candidate(forecast)


def _describe_candidate(candidate: Candidate) -> TrialResult:
    match candidate.method:
        case Method.CHERRY_PICK:
            return TrialResult(State.CLEAN, f"the cherry-pick applies, {candidate.fidelity.value}")
        case Method.CARRIED_PATCH:
            remedy = "the carried patch applies"
        case Method.SIBLING:
            remedy = "a backport of it to another branch applies"
        case Method.RESOLVED:
            remedy = "its conflicts can be resolved"
        case _:
            assert_never(candidate.method)
    proposal = ", as a proposal to be reviewed" if candidate.certainty is Certainty.PROPOSED else ""
    return TrialResult(State.RESOLVABLE, f"the cherry-pick conflicts, but {remedy}{proposal}")
