"""Opens the backport pull requests that a sync calls for, until the limits of the run are used up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.models import (
    AlreadyApplied,
    BackportOptions,
    Conflicted,
    Failed,
    NotAffected,
    NothingLeft,
    NotProven,
    Opened,
    Target,
    TargetOutcome,
    Verdict,
    VerdictOutcome,
)
from bot.pipeline.context import RepositoryContext
from bot.pipeline.merged_commits import merged_commits
from bot.pipeline.request import BackportRequest
from bot.pipeline.result_store import MemoryStore
from bot.pipeline.run import RequestRun
from bot.pipeline.unexpected_errors import capture_errors
from bot.sync.choice import WAITS_FOR_THE_GPU, choose, limit_open
from bot.sync.failed_attempts import FailedAttempts
from bot.sync.survey import SyncContext, SyncReport
from bot.sync.trial import nothing_left_reason
from bot.sync.types import BranchState, OriginalState, State


def plan_openings(branch: BranchState, context: SyncContext, report: SyncReport) -> BranchState:
    """Return the branch with what each missing original waits for; nothing is attempted."""
    return _with_states(branch, _plan(branch, context, report)) if branch.tip else branch


def _plan(branch: BranchState, context: SyncContext, report: SyncReport) -> tuple[OriginalState, ...]:
    attempts = _failed_attempts(branch, context)
    in_turn = choose(
        branch,
        context.config.sync,
        last_failure=lambda original: attempts.find(original, context.patch_for(original)),
    )
    return limit_open(in_turn, context.config.sync.max_open - report.open_backports.get(branch.branch, 0))


def _failed_attempts(branch: BranchState, context: SyncContext) -> FailedAttempts:
    assert branch.tip is not None  # noqa: S101 -- for the type checker: a branch without one is left alone
    return FailedAttempts(context.store, context.pick.mirror, branch.tip, branch.branch)


class PullRequestOpener:
    """Opens the pull requests of one run and counts the GPU minutes that their proofs take."""

    def __init__(self, context: RepositoryContext, sync_context: SyncContext, report: SyncReport) -> None:
        self._context, self._sync_context, self._report = context, sync_context, report
        self._gpu_minutes = 0.0
        self._runs: dict[int, RequestRun] = {}
        self.results: list[TargetOutcome] = []

    def open_on(self, branch: BranchState) -> BranchState:
        """Open the planned ones on one branch; return the branch after that. An error stops no other branch."""
        if branch.tip is None:
            return branch
        state = capture_errors(branch.branch, lambda: self._open_on(branch))
        if isinstance(state, Failed):
            self.results.append(state)
            return branch
        return state

    def _open_on(self, branch: BranchState) -> BranchState:
        attempts = _failed_attempts(branch, self._sync_context)
        plan = _plan(branch, self._sync_context, self._report)
        return _with_states(branch, [state if state.waits else self._attempt(state, attempts) for state in plan])

    def _attempt(self, state: OriginalState, attempts: FailedAttempts) -> OriginalState:
        # Proofs without a GPU use up nothing, so a limit of 0 stops only what follows a proof on one.
        if self._gpu_minutes and self._gpu_minutes >= self._context.config.sync.max_gpu_minutes:
            return replace(state, waits=WAITS_FOR_THE_GPU)
        result = capture_errors(state.branch, lambda: self._backport(state))
        self.results.append(result)
        self._count_minutes(result)
        failure = lasting_failure(result)
        if failure:
            attempts.add(state.original, self._sync_context.patch_for(state.original), failure)
        return state_after(state, result)

    def _backport(self, state: OriginalState) -> TargetOutcome:
        assert state.original.number is not None  # noqa: S101 -- those without one wait for a person
        number = state.original.number
        # One run for all branches of an original: it knows which candidates may help the next branch.
        if number not in self._runs:
            self._runs[number] = RequestRun(self._request(number, state.asked_by), MemoryStore())
        return self._runs[number].run(Target.parse(state.branch), self._context)

    def _request(self, number: int, asked_by: str) -> BackportRequest:
        original = self._context.github.pull_request(number)
        method, commits = merged_commits(original, self._context)
        return BackportRequest(
            key="",
            command="",
            requester=f"the sync policy ({asked_by})",
            original=original,
            merge_method=method,
            commits=commits,
            options=BackportOptions(),
        )

    def _count_minutes(self, result: TargetOutcome) -> None:
        verdict = result.verdict if isinstance(result, Opened | NotProven) else None
        self._gpu_minutes += gpu_minutes(verdict) if verdict else 0.0


def _with_states(branch: BranchState, states: Sequence[OriginalState]) -> BranchState:
    new = {state.original.position: state for state in states}
    return replace(branch, originals=tuple(new.get(state.original.position, state) for state in branch.originals))


def gpu_minutes(verdict: Verdict) -> float:
    """Return the minutes that the runs of a verdict spent on GPUs; one with cases and an unknown device counts."""
    runs = verdict.devices or (verdict.base, verdict.candidate)
    return sum(run.seconds for run in runs if (run.device.kind != "cpu" if run.device else run.cases)) / 60


def lasting_failure(result: TargetOutcome) -> str:
    """Return why an attempt failed if it would fail again; empty if it succeeded or the next one may succeed."""
    match result:
        # An inconclusive proof may end otherwise next time, e.g. after a crash or on another machine.
        # Nothing ran if there are no tests, and the configuration may ask for none next time.
        case NotProven(verdict=verdict) if verdict.outcome not in (
            VerdictOutcome.INCONCLUSIVE,
            VerdictOutcome.NO_TESTS,
        ):
            return f"{verdict.outcome.value}, {verdict.reason}"
        case Conflicted(conflict=conflict):
            return f"conflict in {', '.join(file.path for file in conflict.files)}"
        case _:
            return ""


def state_after(state: OriginalState, result: TargetOutcome) -> OriginalState:  # noqa: PLR0911 - one for each outcome
    """Return the state of an original after its attempt."""
    match result:
        case Opened(pull_request=pull):
            reason = f"#{pull.number} is open, {'just opened' if result.created else 'opened before'}"
            return replace(state, state=State.OPENED, reason=reason, pull_request=pull.number)
        case AlreadyApplied(how=evidence):
            return replace(state, state=State.ALREADY_APPLIED, reason=evidence)
        case NotAffected(check=check):
            return replace(state, state=State.NOT_AFFECTED, reason=check.reason)
        case NothingLeft(left_out=left_out):
            return replace(state, state=State.NOTHING_LEFT, reason=nothing_left_reason(left_out))
        case Conflicted():
            return replace(state, state=State.CONFLICT, reason=lasting_failure(result), waits="a person")
        case NotProven(verdict=verdict) if verdict.outcome is VerdictOutcome.INCONCLUSIVE:
            return replace(state, waits=f"the next run: {verdict.reason}")
        case NotProven(verdict=verdict):
            return replace(state, waits=f"a person: {verdict.outcome.value}, {verdict.reason}")
        case Failed(message=message, hint=hint):
            return replace(state, waits=f"the next run: {message} {hint}")
        case _:
            return state
