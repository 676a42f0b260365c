"""The openings of one scheduled run: what is attempted, what is left for another time, and what became of it.

Owns the limits while they are used up. How one backport comes about is the line's business.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from bot.models import (
    AlreadyApplied,
    BackportOptions,
    Candidate,
    Conflicted,
    Failed,
    NotAffected,
    NotProven,
    Opened,
    TargetOutcome,
    Verdict,
    VerdictOutcome,
)
from bot.pipeline.context import Backport, RepositoryContext
from bot.pipeline.learn_backports import sibling
from bot.pipeline.merged_commits import merged_commits
from bot.pipeline.run import backport_to, capture_errors
from bot.sync.choice import WAITS_FOR_THE_GPU, choose, limited
from bot.sync.failed_attempts import Attempts
from bot.sync.survey import SyncContext, SyncReport
from bot.sync.types import BranchState, Original, OriginalState, State


def chosen(state: BranchState, sync_context: SyncContext, found: SyncReport) -> BranchState:
    """Return the branch with what each missing original waits for; nothing is attempted."""
    return _changed(state, _choice(state, sync_context, found)) if state.tip else state


def _choice(state: BranchState, sync_context: SyncContext, found: SyncReport) -> tuple[OriginalState, ...]:
    attempts = _attempts(state, sync_context)
    in_turn = choose(
        state,
        sync_context.config.sync,
        failed=lambda original: attempts.failed(original, sync_context.patch_for(original)),
    )
    return limited(in_turn, sync_context.config.sync.max_open - found.open_backports.get(state.branch, 0))


def _attempts(state: BranchState, sync_context: SyncContext) -> Attempts:
    assert state.tip is not None  # noqa: S101 -- for the type checker: a branch without one is left alone
    return Attempts(sync_context.store, sync_context.repository, state.tip, state.branch)


class PullRequestOpener:
    """One run's openings, with what they have used up so far."""

    def __init__(self, context: RepositoryContext, sync_context: SyncContext, found: SyncReport) -> None:
        self._context, self._sync_context, self._found = context, sync_context, found
        self._gpu_minutes = 0.0
        self._candidates: dict[int, list[Candidate]] = defaultdict(list)
        self.results: list[TargetOutcome] = []

    def attempted(self, state: BranchState) -> BranchState:
        """Attempt what is chosen on one branch and return the branch as it stands then; an error stops no other."""
        if state.tip is None:
            return state
        attempted = capture_errors(state.branch, lambda: self._attempted(state))
        if isinstance(attempted, Failed):
            self.results.append(attempted)
            return state
        return attempted

    def _attempted(self, state: BranchState) -> BranchState:
        attempts = _attempts(state, self._sync_context)
        planned = _choice(state, self._sync_context, self._found)
        return _changed(state, [each if each.waits else self._attempt(each, attempts) for each in planned])

    def _attempt(self, standing: OriginalState, attempts: Attempts) -> OriginalState:
        if self._gpu_minutes and self._gpu_minutes >= self._context.config.sync.max_gpu_minutes:
            return replace(standing, waits=WAITS_FOR_THE_GPU)
        result = capture_errors(standing.branch, lambda: self._backport(standing))
        self.results.append(result)
        self._note(standing.original, result)
        why = lasting_failure(result)
        if why:
            attempts.remember(standing.original, self._sync_context.patch_for(standing.original), why)
        return concluded(standing, result)

    def _backport(self, standing: OriginalState) -> TargetOutcome:
        assert standing.original.number is not None  # noqa: S101 -- those without one wait for a person
        original = self._context.github.pull_request(standing.original.number)
        method, commits = merged_commits(original, self._context)
        backport = Backport(
            original=original,
            merge_method=method,
            commits=commits,
            options=BackportOptions(),
            requester=f"the sync policy ({standing.asked_by})",
            patch=self._context.pick.patch_for(original),
            siblings=tuple(self._candidates[original.number]),
        )
        return backport_to(standing.branch, backport, self._context)

    def _note(self, original: Original, result: TargetOutcome) -> None:
        candidate = sibling(result)
        if candidate is not None and original.number is not None:
            self._candidates[original.number].append(candidate)
        verdict = result.verdict if isinstance(result, Opened | NotProven) else None
        self._gpu_minutes += gpu_minutes(verdict) if verdict else 0.0


def _changed(state: BranchState, standings: Sequence[OriginalState]) -> BranchState:
    by_original = {each.original.position: each for each in standings}
    return replace(state, originals=tuple(by_original.get(each.original.position, each) for each in state.originals))


def gpu_minutes(verdict: Verdict) -> float:
    """Return the minutes that the two runs of a verdict spent on a GPU."""
    runs = (verdict.base, verdict.candidate)
    return sum(run.seconds for run in runs if run.device is not None and run.device.kind != "cpu") / 60


def lasting_failure(result: TargetOutcome) -> str:
    """Say how an attempt failed that would fail again; empty where it went well, or the next run may fare better."""
    match result:
        case NotProven(verdict=verdict) if verdict.outcome is not VerdictOutcome.INCONCLUSIVE:
            return f"{verdict.outcome.value}, {verdict.reason}"
        case Conflicted(conflict=conflict):
            return f"conflict in {', '.join(file.path for file in conflict.files)}"
        case _:
            return ""


def concluded(standing: OriginalState, result: TargetOutcome) -> OriginalState:  # noqa: PLR0911 - one for each ending
    """Return the standing of an original after its attempt."""
    match result:
        case Opened(pull_request=opened):
            reason = f"#{opened.number} is open, {'just opened' if result.created else 'opened before'}"
            return replace(standing, state=State.OPENED, reason=reason, pull_request=opened.number)
        case AlreadyApplied(how=how):
            return replace(standing, state=State.ALREADY_APPLIED, reason=how)
        case NotAffected(check=check):
            return replace(standing, state=State.NOT_AFFECTED, reason=check.reason)
        case Conflicted():
            return replace(standing, state=State.CONFLICT, reason=lasting_failure(result), waits="a person")
        case NotProven(verdict=verdict):
            return replace(standing, waits=f"a person: {verdict.outcome.value}, {verdict.reason}")
        case Failed(message=message, hint=hint):
            return replace(standing, waits=f"the next run: {message} {hint}")
        case _:
            return standing
