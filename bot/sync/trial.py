"""What would come of bringing originals to one branch: found by trying, on objects that are thrown away.

Owns the order of the questions: the carried patch's rules, the plain pick (one git process for all), the ladder, and
other missing originals as prerequisites. Keeps nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.carried.detect import check
from bot.carried.load import CarriedPatch
from bot.errors import GitError
from bot.git.batch_trial_picks import Trial, try_picks
from bot.git.repository import Quarantined
from bot.git.trees import CommitTree
from bot.git.trial_pick import CleanPick, EmptyPick, UnmergedPick, try_pick
from bot.models import (
    Affectedness,
    AlreadyApplied,
    Candidate,
    Certainty,
    Conflict,
    ConflictFile,
    DetectResult,
    MergeMethod,
    Method,
    Sha,
    Signature,
    TargetPlan,
)
from bot.pick.ladder import pick
from bot.pick.strategy import PickCaches
from bot.sync.types import Original, State

_NOBODY = Signature("backport-bot", "backport-bot@localhost", "0 +0000")
_MOST_PREREQUISITES = 8
_MOST_NAMED = 3
_SETTLED = {Affectedness.NOT_AFFECTED: State.NOT_AFFECTED, Affectedness.FIXED: State.ALREADY_APPLIED}
_METHODS = {
    Method.CARRIED_PATCH: "the carried patch applies",
    Method.SIBLING: "a backport of it to another branch applies",
    Method.RESOLVED: "its conflicts can be resolved",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial came to. `needs` are the last commits of originals that must be there first, oldest first."""

    state: State
    reason: str
    needs: tuple[Sha, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One branch at its tip and what is at hand there. `patch_of` are carried patches by the original's position.

    Without `thorough` a conflict is only found and not worked on: that takes a hundredth of the time. Without `propose`
    what could only be proposed is a conflict, as it is where picks are made. What needs more than `max_prerequisites`
    others first is a conflict as well; 0 looks for none.
    """

    repository: Quarantined
    branch: str
    tip: Sha
    patches: Mapping[str, CarriedPatch]
    patch_of: Mapping[int, CarriedPatch]
    caches: PickCaches
    thorough: bool = True
    propose: bool = True
    max_prerequisites: int = 3

    def outcomes(self, originals: Sequence[Original], missing: Sequence[Original]) -> Iterator[tuple[int, Outcome]]:
        """Try some of the originals that are missing on the branch; all of them may be prerequisites. Oldest first."""
        onto = self.repository.commit(self.tip).tree
        plain = try_picks(self.repository, [(each.commits[0], onto) for each in originals if len(each.commits) == 1])
        for original in originals:
            yield original.position, self._outcome(original, missing, plain.get((original.commits[0], onto)))

    def _outcome(self, original: Original, missing: Sequence[Original], plain: Trial | GitError | None) -> Outcome:
        patch = self.patch_of.get(original.position)
        report = check(CommitTree(self.repository, self.tip), patch) if patch else None
        if report and report.status in _SETTLED:
            return Outcome(_SETTLED[report.status], report.reason)
        if isinstance(plain, EmptyPick):
            return Outcome(State.ALREADY_APPLIED, "picking it changes nothing on the branch")
        if isinstance(plain, CleanPick) and report is None:
            return Outcome(State.CLEAN, "the cherry-pick applies")
        if isinstance(plain, UnmergedPick) and not self.thorough:
            return Outcome(State.CONFLICT, _conflict_reason([file.described for file in plain.files]))
        return self._worked_on(original, missing, report)

    def _worked_on(self, original: Original, missing: Sequence[Original], report: DetectResult | None) -> Outcome:
        try:
            return self._climb(original, missing, report)
        except GitError as error:
            return Outcome(State.CONFLICT, f"it could not be tried: {error.message}")

    def _climb(self, original: Original, missing: Sequence[Original], report: DetectResult | None) -> Outcome:
        plan = TargetPlan(
            branch=self.branch,
            base_commit=self.tip,
            backport_branch="",
            commits=original.commits,
            merge_method=MergeMethod.REBASE if len(original.commits) > 1 else MergeMethod.SQUASH,
            patch=report.patch if report else None,
            check=report,
        )
        picked = pick(
            self.repository,
            plan,
            patches=self.patches,
            committer=_NOBODY,
            caches=self.caches,
            propose=self.propose,
            max_prerequisites=self.max_prerequisites,
        )
        if isinstance(picked, AlreadyApplied):
            return Outcome(State.ALREADY_APPLIED, picked.how)
        if isinstance(picked, Candidate):
            return _made(picked)
        return self._conflict(picked, original, missing)

    def _conflict(self, conflict: Conflict, original: Original, missing: Sequence[Original]) -> Outcome:
        reason = _conflict_reason(conflict.files)
        needs = self._prerequisites(original, missing)
        if needs:
            return Outcome(State.NEEDS, reason, needs)
        if conflict.prerequisites and not any(each.paths for each in conflict.prerequisites):
            return Outcome(State.NEEDS, reason, tuple(each.sha for each in conflict.prerequisites))
        return Outcome(State.CONFLICT, reason)

    def _prerequisites(self, original: Original, missing: Sequence[Original]) -> tuple[Sha, ...]:
        """Return the fewest missing originals found on top of which this one applies; none if they are too many."""
        needed = earlier(original, missing)[-_MOST_PREREQUISITES:] if self.max_prerequisites else []
        if not needed or not self._applies([*needed, original]):
            return ()
        for each in tuple(needed):
            fewer = [other for other in needed if other is not each]
            if self._applies([*fewer, original]):
                needed = fewer
        return tuple(each.commits[-1] for each in needed) if len(needed) <= self.max_prerequisites else ()

    def _applies(self, originals: Sequence[Original]) -> bool:
        tree = self.repository.commit(self.tip).tree
        for sha in (sha for each in originals for sha in each.commits):
            trial = try_pick(self.repository, sha, tree)
            if isinstance(trial, CleanPick):
                tree = trial.tree
            elif not isinstance(trial, EmptyPick):
                return False
        return True


def earlier(original: Original, missing: Sequence[Original]) -> list[Original]:
    """Return the older ones of these that change a file that this one changes, too."""
    paths = frozenset(original.paths)
    return [each for each in missing if each.position < original.position and not paths.isdisjoint(each.paths)]


def _conflict_reason(files: Sequence[ConflictFile]) -> str:
    where = ", ".join(f"`{file.path}` ({file.kind.value})" for file in files[:_MOST_NAMED])
    more = f" and {len(files) - _MOST_NAMED} more" if len(files) > _MOST_NAMED else ""
    return f"the cherry-pick conflicts in {where or 'how directories were renamed'}{more}"


def _made(candidate: Candidate) -> Outcome:
    if candidate.method is Method.CHERRY_PICK:
        return Outcome(State.CLEAN, f"the cherry-pick applies, {candidate.fidelity.value}")
    proposed = ", as a proposal to be reviewed" if candidate.certainty is Certainty.PROPOSED else ""
    return Outcome(State.RESOLVABLE, f"the cherry-pick conflicts, but {_METHODS[candidate.method]}{proposed}")
