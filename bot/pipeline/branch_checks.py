"""Which workflows of a target branch start on a backport pull request, by the files of the branch itself.

GitHub takes a pull request's workflows from the merge of both branches. That is the candidate's tree.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from bot.analysis.workflow_triggers import LARGEST, UnclearWorkflow, pull_request_trigger
from bot.errors import GitError
from bot.git import fetch_ahead
from bot.git.objects import EXECUTABLE, REGULAR
from bot.git.trees import list_directory
from bot.models import BranchChecks, Candidate, WorkflowStart
from bot.pipeline.context import RepositoryContext
from bot.text.globs import matches_path
from bot.text.logins import is_shared

log = logging.getLogger(__name__)

FOLDER = ".github/workflows"
MOST_FILES = 200
LARGEST_TOTAL = 8 * LARGEST
"""Bytes of all files together that are still read."""


def branch_checks(candidate: Candidate, context: RepositoryContext) -> BranchChecks:
    """Return which workflows certainly start, and which do not, when the candidate's pull request opens."""
    own_token = is_shared(context.github.login)
    try:
        paths = _workflow_files(candidate, context)
        starts = [
            _start(path, content, candidate) for path, content in _contents(paths[:MOST_FILES], candidate, context)
        ]
    except GitError as error:  # a pull request is no worse without this section
        log.warning("%s", error)
        return BranchChecks(complete=False, own_token=own_token)
    return BranchChecks(
        workflows=tuple(start for start in starts if isinstance(start, WorkflowStart)),
        complete=len(starts) == len(paths) and None not in starts,
        own_token=own_token,
    )


def _workflow_files(candidate: Candidate, context: RepositoryContext) -> list[str]:
    """List the configured workflow files, in their order."""
    tree = context.mirror.commit(candidate.commit).tree
    return [
        f"{FOLDER}/{name}"
        for name, entry in sorted(list_directory(context.mirror, tree, FOLDER).items())
        if entry.mode in (REGULAR, EXECUTABLE)
        and name.endswith((".yml", ".yaml"))
        and any(matches_path(pattern, name) for pattern in context.config.publish.test_workflows)
    ]


def _contents(paths: list[str], candidate: Candidate, context: RepositoryContext) -> Iterator[tuple[str, bytes]]:
    """Yield the files, until all together are too large."""
    fetch_ahead.files(context.mirror, [(candidate.commit, path) for path in paths])
    budget = LARGEST_TOTAL
    for path in paths:
        content = context.mirror.read(candidate.commit, path) or b""
        budget -= len(content)
        if budget < 0:
            return
        yield path, content


def _start(path: str, content: bytes, candidate: Candidate) -> WorkflowStart | bool | None:
    """Return what a workflow does; False if it is none for pull requests, and None if that is not certain."""
    try:
        trigger = pull_request_trigger(content)
    except UnclearWorkflow:
        return None
    starts = trigger.starts(candidate.branch, candidate.files) if trigger is not None else False
    if trigger is None or starts is None:
        return starts
    for_others = trigger.for_branch(candidate.branch) is False
    return WorkflowStart(
        file=path.removeprefix(f"{FOLDER}/"),
        name=trigger.name,
        starts=starts,
        only_for=trigger.branches if for_others else (),
    )
