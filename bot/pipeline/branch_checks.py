"""Finds the workflows that start on a backport pull request, by the workflow files of the target branch itself.

GitHub takes a pull request's workflows from the merge of both branches. That is the candidate's tree.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.analysis.workflow_triggers import LARGEST, PullRequestTrigger, UnclearWorkflow, pull_request_trigger
from bot.git.objects import EXECUTABLE, REGULAR
from bot.git.trees import list_directory
from bot.models import BranchChecks, Candidate, Sha, WorkflowStart
from bot.pipeline.context import RepositoryContext
from bot.text.globs import matches_path
from bot.text.logins import is_shared

FOLDER = ".github/workflows"
MOST_FILES = 200
LARGEST_TOTAL = 8 * LARGEST
"""Bytes of all files together that are still read."""


def branch_checks(candidate: Candidate, context: RepositoryContext) -> BranchChecks:
    """Return the workflows that certainly start when the candidate's pull request opens."""
    files = dict(_workflow_files(candidate, context))
    starts: list[WorkflowStart] = []
    complete, budget = len(files) <= MOST_FILES, LARGEST_TOTAL
    for name, content in list(files.items())[:MOST_FILES]:
        budget -= len(content)
        try:
            trigger = pull_request_trigger(content) if budget >= 0 else None
        except UnclearWorkflow:
            complete = False
            continue
        start = _start(name, trigger, candidate) if trigger is not None else None
        starts += [start] if start is not None else []
        complete &= budget >= 0 and (trigger is None or start is not None)
    return BranchChecks(workflows=tuple(starts), complete=complete, own_token=is_shared(context.github.login))


def _workflow_files(candidate: Candidate, context: RepositoryContext) -> Iterator[tuple[str, bytes]]:
    """Yield the configured workflow files, in their order."""
    patterns = context.config.publish.test_workflows
    tree = context.mirror.commit(Sha(candidate.commit)).tree
    for name, entry in sorted(list_directory(context.mirror, tree, FOLDER).items()):
        if entry.mode not in (REGULAR, EXECUTABLE) or not name.endswith((".yml", ".yaml")):
            continue
        if any(matches_path(pattern, name) for pattern in patterns):
            yield name, context.mirror.read(candidate.commit, f"{FOLDER}/{name}") or b""


def _start(name: str, trigger: PullRequestTrigger, candidate: Candidate) -> WorkflowStart | None:
    starts = trigger.starts(candidate.branch, candidate.files)
    if starts is None:
        return None
    for_others = trigger.for_branch(candidate.branch) is False
    return WorkflowStart(file=name, name=trigger.name, starts=starts, only_for=trigger.branches if for_others else ())
