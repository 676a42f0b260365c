"""The runner `github-actions`: a workflow run on a machine with the right labels proves a candidate.

Owns one proof there: the candidate is brought where the run can see it, a run is dispatched, found again by a word in
its name, waited for, and its report fetched. A report about other commits is not believed, nor is its verdict: what the
runs reported is judged here. A run that is cancelled or lost is tried once more, as a new run, and the verdict says so.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace

from bot.errors import SuiteError, Unavailable
from bot.github.protocol import WorkflowRuns
from bot.models import Progress, StopWhen, SuiteRun, Verdict, VerdictOutcome, WorkflowRun, never, silent
from bot.proof.runner import ProofRequest
from bot.proof.workflow_artifact import Runs, read_artifact

ARTIFACT = "evidence"
"""The name of the artifact that the workflow leaves: an evidence folder."""
ATTEMPTS = 2
_TAKEN_AWAY = ("cancelled", "stale", "startup_failure")
"""Conclusions of a run that never came to a result. A failure is a result, and so is a time limit that it reached."""
_WAITING = ("queued", "waiting", "requested", "pending")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTimeouts:
    """How long what is waited for, in seconds: in the queue, for the run itself, between two looks.

    A dispatched run that nobody lists within `appearance` counts as lost.
    """

    queue: float
    run: float
    poll: float
    appearance: float = 120.0


@dataclass(frozen=True, slots=True)
class _Lost:
    """A run that came to nothing by no fault of the candidate's; `said` tells of it."""

    said: str


class ActionsRunner:
    """Proves by runs of one workflow.

    `shown` puts a candidate where a run can see it, as long as the context lasts. `inputs` are the same for every run;
    what is about one request is added. `judge` turns what the runs reported into the verdict. Once `stop_when` is
    true the run is cancelled.
    """

    def __init__(
        self,
        runs: WorkflowRuns,
        workflow: str,
        inputs: Mapping[str, str],
        timeouts: RunTimeouts,
        *,
        shown: Callable[[ProofRequest], AbstractContextManager[object]],
        judge: Callable[[ProofRequest, Runs], Verdict],
        stop_when: StopWhen = never,
    ) -> None:
        self._runs, self._workflow, self._inputs, self._timeouts = runs, workflow, inputs, timeouts
        self._shown, self._judge, self._stop_when = shown, judge, stop_when

    def prove(self, request: ProofRequest, progress: Progress = silent) -> Verdict:
        """Dispatch, wait, fetch and judge; what goes wrong on the way is an inconclusive verdict that tells of it."""
        notes: list[str] = []
        with self._shown(request):
            for _ in range(ATTEMPTS):
                ending = self._run_once(request, progress)
                if isinstance(ending, Verdict):
                    return replace(ending, notes=(*notes, *ending.notes))
                progress(ending.said)
                notes.append(ending.said)
        return replace(_inconclusive(f"{notes[-1]} It was the second time, so nobody tries again."), notes=tuple(notes))

    def _run_once(self, request: ProofRequest, progress: Progress) -> Verdict | _Lost:
        word = f"{request.commit[:12]}-{secrets.token_hex(8)}"
        try:
            self._runs.dispatch(self._workflow, {**self._inputs, **_inputs(request, word)})
        except Unavailable:
            progress("GitHub's answer to the dispatch was lost; looking whether a run came of it")
        run = self._appearance(word)
        if run is None:
            return _Lost(f"The dispatched run did not appear within {self._timeouts.appearance:g} s.")
        progress(f"run {run.id} is {run.status}: {run.url}")
        ended = self._ended(run, progress)
        return self._concluded(ended, request) if isinstance(ended, WorkflowRun) else ended

    def _appearance(self, word: str) -> WorkflowRun | None:
        deadline = time.monotonic() + self._timeouts.appearance
        while time.monotonic() < deadline:
            with suppress(Unavailable):
                run = self._runs.find(self._workflow, word)
                if run is not None:
                    return run
            time.sleep(self._timeouts.poll)
        return None

    def _ended(self, run: WorkflowRun, progress: Progress) -> WorkflowRun | Verdict | _Lost:
        """Wait until the run has ended. The time in the queue and that of the run are counted apart."""
        since, started = time.monotonic(), False
        while run.status != "completed":
            if not started and run.status not in _WAITING:
                progress(f"run {run.id} started after {time.monotonic() - since:.0f} s in the queue")
                since, started = time.monotonic(), True
            limit = self._timeouts.run if started else self._timeouts.queue
            if time.monotonic() - since > limit:
                self._runs.cancel(run.id)
                where = "was still running" if started else "was still in the queue"
                return _inconclusive(
                    f"Workflow run {run.id} {where} after {limit / 60:g} minutes and was cancelled.", run
                )
            if self._stop_when():
                self._runs.cancel(run.id)
                return _inconclusive(f"Workflow run {run.id} was cancelled, as the request was.", run)
            time.sleep(self._timeouts.poll)
            with suppress(Unavailable):  # GitHub is away at times for minutes, and the run goes on meanwhile
                seen = self._runs.get(run.id)
                if seen is None:
                    return _Lost(f"Workflow run {run.id} is no longer there.")
                run = seen
        return run

    def _concluded(self, run: WorkflowRun, request: ProofRequest) -> Verdict | _Lost:
        if run.conclusion in _TAKEN_AWAY:
            return _Lost(f"Workflow run {run.id} ended as {run.conclusion}: {run.url}.")
        archive = self._runs.artifact(run.id, ARTIFACT)
        if archive is None:
            return _inconclusive(f"Workflow run {run.id} ended as {run.conclusion} and left no report.", run)
        try:
            reported = read_artifact(archive)
            _check_commits(reported, request)
            verdict = self._judge(request, reported)
        except SuiteError as error:
            return _inconclusive(f"Workflow run {run.id}: {error.message}", run)
        return replace(verdict, notes=(*verdict.notes, f"It ran in workflow run {run.id}."), evidence_url=run.url)


def _inputs(request: ProofRequest, word: str) -> dict[str, str]:
    return {
        "correlation": word,
        "base": request.base_commit,
        "candidate": request.commit,
        "branch": request.branch,
        "patch": request.patch or "",
        "companions": json.dumps(request.companions),
    }


def _check_commits(reported: Runs, request: ProofRequest) -> None:
    asked = (request.base_commit, request.commit)
    for name, pair in reported.items():
        tested = tuple(run.commit for run in pair)
        if tested != asked:
            said = " and ".join(sha[:12] or "no commit" for sha in tested)
            raise SuiteError(
                f"its report of {name} is about {said}, not about {asked[0][:12]} and {asked[1][:12]}.",
                hint="Look at the workflow: it must check out the commits it is given.",
            )


def _inconclusive(reason: str, run: WorkflowRun | None = None) -> Verdict:
    never = SuiteRun(tree="", cases=(), device=None, seconds=0.0, problem="no report of it came back")
    return Verdict(
        outcome=VerdictOutcome.INCONCLUSIVE,
        reason=reason,
        base=never,
        candidate=never,
        evidence_url=run.url if run else "",
    )
