"""The ladder: tries the strategies in order and takes the first that makes a whole candidate for a target branch.

All strategies write to a quarantine. Only the objects of the one that applies are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.analysis.findings import are_fatal, collect_findings
from bot.carried.load import CarriedPatch
from bot.environment.trace import span
from bot.git.repository import Repository
from bot.git.trees import commit_paths, find_entry
from bot.git.trial_pick import UnmergedPick
from bot.history.landed import find_landing_status
from bot.models import (
    AlreadyApplied,
    Candidate,
    Certainty,
    Conflict,
    Method,
    NothingLeft,
    Signature,
    StrategyResult,
    TargetPlan,
)
from bot.pick.already_there import AlreadyThere
from bot.pick.attempt import Attempt
from bot.pick.batch_trials import BatchTrials
from bot.pick.caches import PickCaches
from bot.pick.carried_patch import CarriedPatchStrategy
from bot.pick.cherry_pick import CherryPick
from bot.pick.explain_conflict import explain
from bot.pick.merge.confidence import rate_confidence
from bot.pick.merge.missing_files import MissingFile
from bot.pick.merge.resolver import FinerMerge
from bot.pick.prerequisites import NO_PREREQUISITES
from bot.pick.regenerator import Regenerator
from bot.pick.resolve_conflicts import ResolveConflicts
from bot.pick.reuse_resolution import ReuseResolution
from bot.pick.sibling import Sibling
from bot.pick.strategy import NotApplicable, Picked, PickStrategy

STRATEGIES: tuple[PickStrategy, ...] = (
    AlreadyThere(),
    CherryPick(),
    CarriedPatchStrategy(),
    Sibling(),
    ResolveConflicts("remembered resolution", regions=(ReuseResolution(),)),
    ResolveConflicts("finer merge", files=(MissingFile(FinerMerge()), FinerMerge()), rate_confidence=rate_confidence),
)


def pick(  # noqa: PLR0913 - the facts of one pick, and all but four may be left out
    repository: Repository,
    plan: TargetPlan,
    *,
    patches: Mapping[str, CarriedPatch],
    committer: Signature,
    siblings: Sequence[Candidate] = (),
    caches: PickCaches | None = None,
    batch: BatchTrials | None = None,
    max_prerequisites: int = 3,
    leave_out: Sequence[str] = (),
    propose: bool = True,
    regenerator: Regenerator | None = None,
    strategies: Sequence[PickStrategy] = STRATEGIES,
) -> Candidate | Conflict | AlreadyApplied | NothingLeft:
    """Make the candidate of one target branch. Its objects are kept in the repository; no ref points at them.

    `siblings` are candidates of the same request for other branches. `caches` hold facts of the history; pass the same
    ones to each pick in a repository.
    `batch` are trials of several branches, made in a quarantine that `repository` is or lies in. A conflict is
    explained with at most `max_prerequisites` prerequisites. Changes in files that a glob of `leave_out` matches are
    not picked. Without `propose` a strategy that is not certain makes no candidate. The `regenerator` rewrites
    generated files that conflict; without one they are merged by lines or stay conflicts.

    Raises:
        GitError: git failed, e.g. an object is missing; nothing is kept.
    """
    with repository.quarantine() as quarantine:
        shared_caches = caches or PickCaches()
        with span("landing status"):
            status = find_landing_status(quarantine, plan.base_commit, plan.commits, shared_caches.histories, leave_out)
        attempt = Attempt(
            repository=quarantine,
            plan=plan,
            committer=committer,
            leave_out=tuple(leave_out),
            landing=status,
            patches=patches,
            siblings=tuple(siblings),
            caches=shared_caches,
            regenerator=regenerator,
            batch=batch,
        )
        left_out = attempt.left_out()
        if left_out and not any(_remaining_paths(attempt)):
            return NothingLeft(target=plan.branch, left_out=left_out)
        result = run_ladder(attempt, strategies, propose=propose)
        if isinstance(result.ending, AlreadyApplied):
            return result.ending
        if result.ending is None:
            return _conflict(attempt, result, max_prerequisites, strategies, propose=propose)
        # The tip keeps the whole series. All other objects go with the quarantine.
        quarantine.keep(result.ending.commits[-1])
        return _candidate(attempt, result.ending, result.outcomes)


def _remaining_paths(attempt: Attempt) -> Iterator[str]:
    """Yield the paths that the originals change and that are not left out."""
    for sha in attempt.commits:
        yield from commit_paths(attempt.repository, attempt.repository.commit(attempt.as_picked(sha)))


@dataclass(frozen=True, slots=True)
class LadderResult:
    """The candidate or None, each strategy's result, and the first pick that conflicted."""

    ending: Picked | AlreadyApplied | None
    outcomes: tuple[StrategyResult, ...]
    first_conflict: UnmergedPick | None


def run_ladder(
    attempt: Attempt, strategies: Sequence[PickStrategy] = STRATEGIES, *, propose: bool = True
) -> LadderResult:
    """Try strategies in order until one applies. The objects stay in the attempt's quarantine."""
    outcomes: list[StrategyResult] = []
    first_conflict: UnmergedPick | None = None
    for strategy in strategies:
        with span("strategy", strategy=strategy.name):
            ending = strategy.apply(attempt)
        if isinstance(ending, Picked) and ending.certainty is not Certainty.CERTAIN and not propose:
            ending = NotApplicable(f"not certain, and the configuration wants no proposals: {ending.detail}")
        is_applied = not isinstance(ending, NotApplicable)
        detail = ending.how if isinstance(ending, AlreadyApplied) else ending.detail
        outcomes.append(StrategyResult(strategy.name, won=is_applied, detail=detail))
        if not isinstance(ending, NotApplicable):
            return LadderResult(ending, tuple(outcomes), first_conflict)
        # The plain cherry-pick comes first, so this is the conflict that git itself shows people.
        first_conflict = first_conflict or ending.conflict
    return LadderResult(None, tuple(outcomes), first_conflict)


def _candidate(attempt: Attempt, pick_result: Picked, outcomes: Sequence[StrategyResult]) -> Candidate:
    repository = attempt.repository
    files = repository.changed_paths(attempt.plan.base_commit, pick_result.commits[-1])
    tree, target_tree, theirs = (
        repository.commit(sha).tree
        for sha in (pick_result.commits[-1], attempt.plan.base_commit, attempt.plan.commits[-1])
    )
    findings = collect_findings(repository, tree, target=target_tree, theirs=theirs, paths=files)
    return Candidate(
        branch=attempt.plan.branch,
        base_commit=attempt.plan.base_commit,
        commit=pick_result.commits[-1],
        commits=pick_result.commits,
        method=pick_result.method,
        fidelity=pick_result.fidelity,
        files=files,
        rungs=tuple(outcomes),
        # A pick that would fail at run time needs a person, whichever strategy made it.
        certainty=Certainty.PROPOSED if are_fatal(findings) else pick_result.certainty,
        resolutions=pick_result.resolutions,
        left_out=attempt.left_out() if pick_result.method is not Method.CARRIED_PATCH else (),
        absent_files=_absent_files(attempt, files),
        siblings=pick_result.siblings,
        findings=findings,
    )


def _absent_files(attempt: Attempt, files: Sequence[str]) -> tuple[str, ...]:
    """Return the files that the originals change or add, and that the candidate does not change."""
    tree = attempt.repository.commit(attempt.plan.commits[-1]).tree
    paths = sorted({*_remaining_paths(attempt)} - {*files})
    return tuple(path for path in paths if find_entry(attempt.repository, tree, path) is not None)


def _conflict(
    attempt: Attempt,
    result: LadderResult,
    max_prerequisites: int,
    strategies: Sequence[PickStrategy],
    *,
    propose: bool,
) -> Conflict:
    def pick_again(attempt_after: Attempt) -> Picked | None:
        ending = run_ladder(attempt_after, strategies, propose=propose).ending
        return ending if isinstance(ending, Picked) else None

    conflict = result.first_conflict
    limit = max_prerequisites
    with span("explanation"):
        files, prerequisites = (
            explain(attempt, conflict, limit, pick_again, propose=propose) if conflict else ((), NO_PREREQUISITES)
        )
    return Conflict(
        branch=attempt.plan.branch,
        base_commit=attempt.plan.base_commit,
        commit=conflict.commit if conflict else attempt.plan.commits[-1],
        files=files,
        rungs=result.outcomes,
        left_out=attempt.left_out(),
        prerequisites=prerequisites.commits,
        rest=prerequisites.certainty,
    )
