"""The runner `github-actions`: a workflow run on a machine with the right labels proves a candidate.

One proof goes like this. The candidate is pushed to where the run can see it. A run is dispatched and found again by a
word in its name. The bot waits for it and fetches its report. A report about other commits is an error, and its own
verdict is not used: this module judges the reported runs. A run that was cancelled or lost is dispatched once more, and
the verdict says so.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from typing import TypeAlias

from bot.errors import BackportError, SuiteError, Unavailable
from bot.github.protocol import WorkflowRuns
from bot.models import Progress, StopWhen, Verdict, WorkflowRun, never, silent
from bot.proof.inconclusive import inconclusive
from bot.proof.location_note import location_note
from bot.proof.runner import ProofRequest
from bot.proof.workflow_artifact import Runs, read_artifact

ARTIFACT = "evidence"
"""The name of the artifact that the workflow leaves: an evidence folder."""
ATTEMPTS = 2
Steps: TypeAlias = Generator[None, None, Verdict]
"""A proof that yields where it waits for GitHub."""
_TAKEN_AWAY = ("cancelled", "stale", "startup_failure")
"""Conclusions of a run that never came to a result. A failure is a result, and so is a time limit that it reached."""
_WAITING_STATUSES = ("queued", "waiting", "requested", "pending")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTimeouts:
    """Time limits in seconds: in the queue, for the run itself, and between two looks.

    A dispatched run that GitHub does not list within `appearance` counts as lost.
    """

    queue: float
    run: float
    poll: float
    appearance: float = 120.0


@dataclass(frozen=True, slots=True)
class _RunLoss:
    """A run that ended without a result, for no fault of the candidate."""

    message: str


class ActionsRunner:
    """Proves by runs of one workflow.

    `publish` pushes a candidate to where a run can see it, and removes it afterwards. `inputs` are the same for every
    run; those of the request are added. `judge` turns the reported runs into the verdict. Once `stop_when` is
    true the run is cancelled.
    """

    def __init__(
        self,
        runs: WorkflowRuns,
        workflow: str,
        inputs: Mapping[str, str],
        timeouts: RunTimeouts,
        *,
        publish: Callable[[ProofRequest], AbstractContextManager[object]],
        judge: Callable[[ProofRequest, Runs], Verdict],
        stop_when: StopWhen = never,
    ) -> None:
        self._runs, self._workflow, self._inputs, self._timeouts = runs, workflow, inputs, timeouts
        self._publish, self._judge, self._stop_when = publish, judge, stop_when

    def prove(self, request: ProofRequest, progress: Progress = silent) -> Verdict:
        """Dispatch, wait, fetch and judge; a failure on the way is an inconclusive verdict with the reason."""
        with self._publish(request):
            return run_steps({"": self.steps(request, progress)}, self._timeouts.poll)[""]

    def steps(self, request: ProofRequest, progress: Progress) -> Steps:
        """Do the same for a candidate that a run can see already, and yield where it would wait."""
        notes: list[str] = []
        for _ in range(ATTEMPTS):
            ending = yield from self._run_once(request, progress)
            if isinstance(ending, Verdict):
                return replace(ending, notes=(*notes, *ending.notes))
            progress(ending.message)
            notes.append(ending.message)
        return replace(
            _without_report(f"{notes[-1]} That was the second attempt, and there is no third."), notes=tuple(notes)
        )

    def _run_once(self, request: ProofRequest, progress: Progress) -> Generator[None, None, Verdict | _RunLoss]:
        word = f"{request.commit[:12]}-{secrets.token_hex(8)}"
        try:
            self._runs.dispatch(self._workflow, {**self._inputs, **_inputs(request, word)})
        except Unavailable:
            progress("GitHub's answer to the dispatch was lost; looking whether a run came of it")
        run = yield from self._appearance(word)
        if run is None:
            return _RunLoss(f"The dispatched run did not appear within {self._timeouts.appearance:g} s.")
        progress(f"run {run.id} is {run.status}: {run.url}")
        ending = yield from self._wait_for_end(run, progress)
        return self._conclude(ending, request) if isinstance(ending, WorkflowRun) else ending

    def _appearance(self, word: str) -> Generator[None, None, WorkflowRun | None]:
        deadline = time.monotonic() + self._timeouts.appearance
        while time.monotonic() < deadline:
            with suppress(Unavailable):
                run = self._runs.find(self._workflow, word)
                if run is not None:
                    return run
            yield
        return None

    def _wait_for_end(
        self, run: WorkflowRun, progress: Progress
    ) -> Generator[None, None, WorkflowRun | Verdict | _RunLoss]:
        """Wait until the run has ended. One that nobody waits for any more is cancelled."""
        try:
            return (yield from self._watch(run, progress))
        except BaseException:
            with suppress(BackportError):
                self._runs.cancel(run.id)
            raise

    def _watch(self, run: WorkflowRun, progress: Progress) -> Generator[None, None, WorkflowRun | Verdict | _RunLoss]:
        """Look at the run until it has ended. The time in the queue and that of the run are counted apart."""
        since, is_running = time.monotonic(), False
        while run.status != "completed":
            if not is_running and run.status not in _WAITING_STATUSES:
                progress(f"run {run.id} started after {time.monotonic() - since:.0f} s in the queue")
                since, is_running = time.monotonic(), True
            limit = self._timeouts.run if is_running else self._timeouts.queue
            if time.monotonic() - since > limit:
                self._runs.cancel(run.id)
                state = "was still running" if is_running else "was still in the queue"
                return _without_report(
                    f"Workflow run {run.id} {state} after {limit / 60:g} minutes and was cancelled.", run
                )
            if self._stop_when():
                self._runs.cancel(run.id)
                return _without_report(f"Workflow run {run.id} was cancelled, as the request was.", run)
            yield
            with suppress(Unavailable):  # GitHub is away at times for minutes, and the run goes on meanwhile
                current = self._runs.get(run.id)
                if current is None:
                    return _RunLoss(f"Workflow run {run.id} is no longer there.")
                run = current
        return run

    def _conclude(self, run: WorkflowRun, request: ProofRequest) -> Verdict | _RunLoss:
        if run.conclusion in _TAKEN_AWAY:
            return _RunLoss(f"Workflow run {run.id} ended as {run.conclusion}: {run.url}.")
        archive = self._runs.artifact(run.id, ARTIFACT)
        if archive is None:
            return _without_report(f"Workflow run {run.id} ended as {run.conclusion} and left no report.", run)
        try:
            runs_by_suite = read_artifact(archive)
            _check_commits(runs_by_suite, request)
            verdict = self._judge(request, runs_by_suite)
        except SuiteError as error:
            return _without_report(f"Workflow run {run.id}: {error.message}", run)
        return replace(verdict, notes=(*verdict.notes, location_note(f"workflow run {run.id}")), evidence_url=run.url)


def run_steps(steps: Mapping[str, Steps], pause: float) -> dict[str, Verdict]:
    """Take all of them on by turns, `pause` seconds between two rounds, until each has its verdict.

    What one of them raises is raised.
    """
    verdicts: dict[str, Verdict] = {}
    while len(verdicts) < len(steps):
        for name, step in steps.items():
            if name not in verdicts:
                try:
                    next(step)
                except StopIteration as end:
                    verdicts[name] = end.value
        if len(verdicts) < len(steps):
            time.sleep(pause)
    return {name: verdicts[name] for name in steps}


def _inputs(request: ProofRequest, word: str) -> dict[str, str]:
    return {
        "correlation": word,
        "base": request.base_commit,
        "candidate": request.commit,
        "branch": request.branch,
        "patch": request.patch or "",
        "companions": json.dumps(request.companions),
    }


def _check_commits(runs_by_suite: Runs, request: ProofRequest) -> None:
    expected_commits = (request.base_commit, request.commit)
    for name, pair in runs_by_suite.items():
        run_commits = tuple(run.commit for run in pair)
        if run_commits != expected_commits:
            tested_text, expected_text = (_commits_text(commits) for commits in (run_commits, expected_commits))
            raise SuiteError(
                f"its report of {name} is about {tested_text}, not about {expected_text}.",
                hint="Look at the workflow: it must check out the commits it is given.",
            )


def _commits_text(commits: Iterable[str]) -> str:
    return " and ".join(sha[:12] or "no commit" for sha in commits)


def _without_report(reason: str, run: WorkflowRun | None = None) -> Verdict:
    return inconclusive(reason, problem="no report of it came back", evidence_url=run.url if run else "")
