"""The runner on GitHub Actions, set up for one repository.

A temporary branch shows the candidate to the workflow run; it is removed when the proof has ended.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from bot.config import ProveConfig
from bot.errors import GitError, SuiteError
from bot.git.trees import CommitTree
from bot.models import Verdict
from bot.pipeline.context import RepositoryContext
from bot.proof.github_actions import ActionsRunner, RunTimeouts
from bot.proof.judge import judge_suite
from bot.proof.judge_by_rules import conclude
from bot.proof.runner import ProofRequest, Runner
from bot.proof.runners_side_by_side import RunnersSideBySide
from bot.proof.select_suites import resolved_in, suites_of
from bot.proof.workflow_artifact import Runs

log = logging.getLogger(__name__)

CANDIDATES = "backport-bot/candidates/"
"""The branches of candidates that are being proven."""


def actions_runner(context: RepositoryContext) -> Runner:
    """Make the runner that the configuration describes: one workflow run for each of its devices."""
    settings = context.config.prove
    if not settings.devices:
        return _runner(settings, settings.device, context)
    names = [entry.name for entry in settings.devices]
    return RunnersSideBySide(
        {name: _runner(settings.for_device(name), name, context) for name in names},
        publish=lambda request: _publish(request, context),
        poll=settings.actions.poll_seconds,
    )


def _runner(settings: ProveConfig, device: str, context: RepositoryContext) -> ActionsRunner:
    actions = settings.actions
    inputs = {
        "labels": json.dumps(actions.labels),
        "device": device,
        "minutes": f"{actions.run_minutes:g}",
    }
    timeouts = RunTimeouts(queue=actions.queue_minutes * 60, run=actions.run_minutes * 60, poll=actions.poll_seconds)
    return ActionsRunner(
        context.github.workflow_runs(),
        actions.workflow,
        inputs,
        timeouts,
        publish=lambda request: _publish(request, context),
        judge=lambda request, runs_by_suite: judge_runs(request, runs_by_suite, context, settings),
        stop_when=context.pick.stop_when,
    )


def judge_runs(
    request: ProofRequest, runs_by_suite: Runs, context: RepositoryContext, settings: ProveConfig
) -> Verdict:
    """Judge what was reported by our own declarations, each suite that should have run and no other.

    Raises:
        SuiteError: a suite is missing from the report.
    """
    suites = suites_of(request, context.pick)
    missing_suites = [name for name in suites.all_suites if name not in runs_by_suite]
    if missing_suites:
        raise SuiteError(
            f"its report has no runs of {', '.join(missing_suites)}.", hint="Look at the artifact of the workflow run."
        )
    candidate = CommitTree(context.mirror, request.commit)
    verdicts = {
        name: judge_suite(suite, *runs_by_suite[name], resolved_patches=resolved_in(candidate, suite, context.patches))
        for name, suite in suites.all_suites.items()
    }
    names = [name for name in (request.patch, *request.companions) if name]
    patches = [context.patches[name] for name in names]
    return conclude(verdicts, suites, candidate, patches, devices=settings.devices_that_count)[0]


@contextmanager
def _publish(request: ProofRequest, context: RepositoryContext) -> Iterator[None]:
    branch = f"{CANDIDATES}{request.commit}"
    context.mirror.push(request.commit, branch, expected=context.mirror.branches().get(branch))
    try:
        yield
    finally:
        try:
            context.mirror.delete_branch(branch, expected=request.commit)
        except GitError as error:
            # The verdict stands without it, and the next proof of the same commit removes it.
            log.warning("%s %s", error, error.hint)
