"""The jobs of a request: each takes one step of one target branch, or shows how far the request is."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import psycopg
from structlog.contextvars import bound_contextvars

from bot.errors import BackportError, FetchFailed, RateLimited
from bot.handlers.request_summary import RequestSummary, post_outcome_reaction
from bot.models import Candidate, Target, TargetOutcome, TargetPlan
from bot.pipeline.context import RepositoryContext
from bot.pipeline.learn_backports import learn_backports
from bot.pipeline.request import BackportRequest
from bot.pipeline.request_storage import Place, answer_marker
from bot.pipeline.run import RequestRun, Step, serving_order
from bot.pipeline.status_comment import StatusComment
from bot.pipeline.unexpected_errors import as_backport_error, failed_outcome
from bot.proof.run_isolated import RunsEnded
from bot.report.replies import render_error
from bot.report.status_comment import Phase, TargetProgress
from bot.server.budgets import Purpose
from bot.server.database import Database, recording
from bot.server.fence import Fence, Overtaken, fenced
from bot.server.operation import Figures
from bot.server.patience import BREAKDOWNS, FETCHES, LostTooOften, OnResults, check_losses, for_a_job, next_moment
from bot.server.proof_queues import proof_place, turn_on_device
from bot.server.repositories import NotServed, Repositories
from bot.server.request_rows import SHOW, TAKE_STEP, RequestRow, RunRow, branch_lock
from bot.server.requests import Requests
from bot.server.run_log import RunLog
from bot.server.run_store import PostgresStore
from bot.server.worker import Task, TryAgain

log = logging.getLogger(__name__)

_LONGEST = timedelta(hours=24)
"""A request that could not be served for so long is ended, with what stopped it."""


class RequestRecorder:
    """A `RunTargets` that records requests for later jobs. It serves one trigger."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._numbers: list[tuple[int, int | None]] = []

    def __call__(
        self, names: Sequence[str], request: BackportRequest, comment: StatusComment, context: RepositoryContext
    ) -> None:
        """Record a request; see `RunTargets`."""
        order = serving_order(names, context.pick.patch_for(request.original))
        with recording():
            # Not the name in the configuration: a former one may be another repository's.
            name, repository_id = context.github.repository, context.github.repository_id
            number = self._requests.record(request, name, repository_id, comment.targets, order, comment.results)
        self._numbers.append((number, request.comment_id))

    def begin(self, summary: RequestSummary) -> None:
        """Let the work on what was recorded begin, once the whole trigger was served."""
        for number, comment_id in self._numbers:
            self._requests.begin(number, refused=comment_id in summary.refused)


class RequestServer:
    """Does the work of recorded requests. `on_results` gets the outcomes of each when it ends."""

    def __init__(
        self,
        database: Database,
        requests: Requests,
        repositories: Repositories,
        figures: Figures,
        on_results: OnResults,
    ) -> None:
        self._database, self._requests, self._repositories = database, requests, repositories
        self._figures, self._on_results = figures, on_results

    def tasks(self) -> tuple[Task, ...]:
        """Return what the worker is to do."""
        return Task(TAKE_STEP, self._take), Task(SHOW, self._show)

    def _take(self, attempts: int, *, run: int, step: str, rounds: int, repository: str) -> None:
        del repository  # it is for the queue, and for the log
        row = self._requests.find_run(run)
        if row is None or (row.step, row.rounds) != (step, rounds):
            return  # it was taken meanwhile
        this_step = Step(step)
        request, _ = self._requests.load(row.request)
        about = {"request": row.request, "pull_request": request.request.original.number, "target": row.target}
        with bound_contextvars(**about):
            self._take_bound(row, this_step, request, attempts)

    def _take_bound(self, row: RunRow, this_step: Step, request: RequestRow, attempts: int) -> None:
        things = [row.name] if this_step is Step.PROVE else [row.name, branch_lock(row, request.repository)]
        fence = Fence(self._database, *things)
        run_log = RunLog(self._database, row.id, this_step.value)
        run_log.begin()
        try:
            with fence, self._figures.time(this_step.value):
                check_losses(fence.losses)
                self._take_fenced(row, this_step, fence, run_log)
        except (RunsEnded, Overtaken):
            return  # it is taken after the next start, or another process has taken it
        except Exception as error:
            if not _is_over(error, attempts, request):
                run_log.write(f"{error.message if isinstance(error, BackportError) else type(error).__name__}: again")
                if isinstance(error, RateLimited):
                    with self._database.transaction() as connection:
                        self._requests.defer(connection, row.request)  # the comment is to say when it goes on
                raise TryAgain(next_moment(error, attempts)) from error
            self._give_up(row, request.request, fence, error)

    def _take_fenced(self, row: RunRow, step: Step, fence: Fence, run_log: RunLog) -> None:
        request_row, runs = self._requests.load(row.request)
        request, target = request_row.request, Target.parse(row.target)
        store = PostgresStore(self._database, row.request, fence)
        run = RequestRun(request, store, comes_back=True)
        earlier_runs = sorted((other for other in runs if 0 <= other.position < row.position), key=_position)
        run.remember(Target.parse(other.target) for other in earlier_runs)
        following = run_log.following
        with (
            self._repositories.lend(request_row.repository_key) as lent,
            fenced(following(for_a_job(lent)), fence) as context,
        ):
            self._figures.note_budgets(lent)
            if step is Step.PICK:
                learn_backports(context.pick, request.commits, [target.branch])
            prove = context.config.prove
            with turn_on_device(prove) if step is Step.PROVE else nullcontext():
                next_step = run.take(step, target, context, rounds=row.rounds)
        changes: dict[str, object] = {"prove_queue": proof_place(prove)}
        candidate = store.pick(target)
        if step is Step.PICK and isinstance(candidate, Candidate):
            changes["waits_for"] = _siblings_of(candidate, earlier_runs, store)
        with self._database.transaction() as connection:
            fence.hold(connection)
            self._requests.advance(connection, row, next_step, changes)
        run_log.write(f"done; next: {next_step.value}" if next_step else "done; the branch has ended")

    def _give_up(self, row: RunRow, request: BackportRequest, fence: Fence, error: Exception) -> None:
        command, place = str(request.command_for(row.target)), f"run {row.id}"
        outcome = failed_outcome(row.target, error, retry=command, place=place)
        log.warning("The branch ends as failed: %s", error)
        PostgresStore(self._database, row.request, fence).keep_decision(Target.parse(row.target), outcome)
        with self._database.transaction() as connection:
            fence.hold(connection)
            self._requests.advance(connection, row, None, {})

    def _show(self, attempts: int, *, request: int) -> None:
        row, runs = self._requests.load(request)
        if self._is_shown(row, runs):
            return
        fence = Fence(self._database, f"{SHOW} {request}")
        try:
            lend = self._repositories.lend(row.repository_key, purpose=Purpose.ANSWER)
            with lend as lent, fenced(for_a_job(lent), fence) as context:
                try:
                    self._show_fenced(row, runs, fence, context)
                except (BackportError, psycopg.Error):
                    raise
                except Exception as error:
                    if attempts < BREAKDOWNS:
                        raise
                    self._show_error(row, error, fence, context)
        except Overtaken:
            return
        except Exception as error:
            if isinstance(error, NotServed) and datetime.now(UTC) - row.recorded_at > _LONGEST:
                log.warning("Nobody is told any more how the request ended: %s", error)
                with self._database.transaction() as connection:
                    fence.hold(connection)
                    self._requests.end(connection, row.id)
                return
            log.warning("%s Trying again.", error, exc_info=not isinstance(error, BackportError))
            raise TryAgain(next_moment(error, attempts)) from error

    def _is_shown(self, row: RequestRow, runs: Sequence[RunRow]) -> bool:
        """Say whether the comment of a request under way has the state of each branch already, as after a proof."""
        if not row.shown_state or all(run.step is None for run in runs):
            return False
        store = PostgresStore(self._database, row.id, Fence(self._database))
        pause = self._repositories.pause(row.repository_key)
        return _state_words([_state_of(run, store, pause) for run in runs]) == row.shown_state

    def _show_fenced(self, row: RequestRow, runs: list[RunRow], fence: Fence, context: RepositoryContext) -> None:
        store = PostgresStore(self._database, row.id, fence)
        pause = self._repositories.pause(row.repository_key)
        states = [_state_of(run, store, pause) for run in runs]
        hidden = {run.target for run in runs if not run.shown}
        ended = [state for state in states if not isinstance(state, TargetProgress)]
        comment = StatusComment(row.request, tuple(run.target for run in runs), context)
        comment.show(states, [outcome for outcome in ended if outcome.target in hidden])
        with self._database.transaction() as connection:
            fence.hold(connection)
            self._requests.note_shown(connection, row.id, [outcome.target for outcome in ended], _state_words(states))
        if not comment.under_way:
            self._end(row, fence, context)
            self._figures.count(comment.results)
            self._on_results(comment.results)

    def _show_error(self, row: RequestRow, error: Exception, fence: Fence, context: RepositoryContext) -> None:
        """Show in place of the branches that they cannot be shown, and end the request: nobody is to wait for it."""
        place = Place(row.request.original.number, row.request.key)
        shown_error = as_backport_error(error, "the status of this request", retry="", place=f"request {row.id}")
        marker = answer_marker(place, context)
        context.github.write_comment(place.pull_request, f"{marker}\n{render_error(shown_error)}", marker=marker)
        with self._database.transaction() as connection:
            fence.hold(connection)
            self._requests.end(connection, row.id)

    def _end(self, row: RequestRow, fence: Fence, context: RepositoryContext) -> None:
        numbers = self._end_or_last_of_comment(row, fence)
        if numbers is None:
            return
        # Outside of a transaction: a process that sleeps in the call must not hold up the others.
        summaries = (self._summary(number, fence) for number in numbers)
        post_outcome_reaction(sum(summaries, RequestSummary()), row.request.comment_id, context)
        with self._database.transaction() as connection:
            fence.hold(connection)
            self._requests.end(connection, row.id)

    def _end_or_last_of_comment(self, row: RequestRow, fence: Fence) -> list[int] | None:
        """End a request, unless it is the last one of its comment: then return all of them."""
        with self._database.transaction() as connection:
            fence.hold(connection)
            numbers, others_go_on = self._requests.others_of_comment(connection, row)
            if not others_go_on:
                return numbers
            self._requests.end(connection, row.id)
        return None

    def _summary(self, number: int, fence: Fence) -> RequestSummary:
        row, runs = self._requests.load(number)
        store = PostgresStore(self._database, number, fence)
        outcomes = [state for run in runs if not isinstance(state := _state_of(run, store), TargetProgress)]
        refused = frozenset({row.request.comment_id}) if row.refused else frozenset()
        return RequestSummary(results=tuple(outcomes), refused=refused)


def _is_over(error: Exception, attempts: int, request: RequestRow) -> bool:
    """Say whether another attempt is of no use; if it is, log why there is one."""
    match error:
        case LostTooOften():
            is_over = True
        case FetchFailed():
            is_over = attempts >= FETCHES
        case BackportError() | psycopg.Error():
            is_over = False
        case _:
            log.error("A step failed.", exc_info=error)
            is_over = attempts >= BREAKDOWNS
    is_over = is_over or datetime.now(UTC) - request.recorded_at > _LONGEST
    if not is_over:
        log.warning("%s Trying again.", error)
    return is_over


def _position(run: RunRow) -> int:
    return run.position


def _siblings_of(candidate: Candidate, earlier_runs: Sequence[RunRow], store: PostgresStore) -> list[int]:
    """Return the positions of the branches whose candidates this one was made from."""
    positions = []
    for run in earlier_runs:
        sibling = store.pick(Target.parse(run.target))
        if isinstance(sibling, Candidate) and set(sibling.commits) & set(candidate.siblings):
            positions.append(run.position)
    return positions


def _state_words(states: Sequence[TargetProgress | TargetOutcome]) -> str:
    return "\n".join(
        f"{state.target} {state.phase.value} {state.detail}" if isinstance(state, TargetProgress) else state.target
        for state in states
    )


def _state_of(run: RunRow, store: PostgresStore, pause: datetime | None = None) -> TargetProgress | TargetOutcome:
    decision = store.decision(Target.parse(run.target)) if run.step is None else None
    if decision is not None and not isinstance(decision, TargetPlan):
        return decision
    detail = "the branch moved: picked and proven again" if run.rounds else ""
    if pause is not None:
        detail = f"GitHub's limit is used up, it goes on at {pause:%H:%M} UTC"
    return TargetProgress(run.target, Phase.PROVING if run.is_begun else Phase.PLANNED, detail)
