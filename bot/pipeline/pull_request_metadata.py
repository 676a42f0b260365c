"""Chooses the labels, people, milestone and notes of a backport pull request, as the configuration says."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from bot.commands.label_targets import asks_for_backport
from bot.config import Publish
from bot.errors import GitHubError
from bot.git.diff_text import range_diff
from bot.models import Candidate, Details, PullRequest, Sha, TargetPlan
from bot.pipeline.context import RepositoryContext
from bot.pipeline.request import BackportRequest
from bot.text.globs import matches_text

log = logging.getLogger(__name__)


def details_of(request: BackportRequest, *, proven: bool, context: RepositoryContext) -> Details:
    """Return labels, people and so on. Only a `proven` pull request gets auto-merge."""
    policy, original = context.config.publish, request.original
    teams = [team.rpartition("/")[2] for team in policy.team_reviewers]
    return Details(
        labels=(*context.config.labels, *_copied_labels(original, context)),
        milestone=original.milestone if policy.copy_milestone and context.home is None else None,
        assignees=_people([*policy.assignees, *(original.assignees if policy.copy_assignees else ())], request),
        reviewers=_people([*policy.reviewers, *_copied_reviewers(original, context)], request),
        teams=tuple(dict.fromkeys([*teams, *(original.requested_teams if policy.copy_reviewers else ())])),
        # The author of an original often is no collaborator: an everyday case.
        uncertain=frozenset({original.author}),
        merge=_merge(policy) if proven else None,
    )


def difference(plan: TargetPlan, candidate: Candidate, context: RepositoryContext) -> str:
    """Return how the candidate's commits differ from the original's, as `git range-diff` shows it."""
    originals = [_without_merge(sha, context) for sha in plan.commits]
    return range_diff(context.mirror, originals, candidate.base_commit, candidate.commit)


def _without_merge(sha: Sha, context: RepositoryContext) -> Sha:
    """Return a merge as an ordinary commit on its first parent: `git range-diff` passes over merges."""
    merge = context.mirror.commit(sha)
    if len(merge.parents) < 2:
        return sha
    return context.mirror.writer.write_commit(
        merge.tree, merge.parents[:1], merge.message, merge.author, merge.committer
    )


def _copied_labels(original: PullRequest, context: RepositoryContext) -> Iterable[str]:
    patterns = context.config.publish.copy_labels
    for label in original.labels:
        # A backport of a backport is nothing that anybody asked for.
        asks = asks_for_backport(label, context.config)
        if not asks and any(matches_text(pattern, label) for pattern in patterns):
            yield label


def _copied_reviewers(original: PullRequest, context: RepositoryContext) -> tuple[str, ...]:
    if not context.config.publish.copy_reviewers:
        return ()
    try:
        return (*context.originals.approvers(original.number), *original.requested_reviewers)
    except GitHubError as error:
        log.warning("%s", error)
        return original.requested_reviewers


def _people(logins_or_roles: Iterable[str], request: BackportRequest) -> tuple[str, ...]:
    roles = {
        "author": request.original.author,
        "merger": request.original.merged_by,
        "requester": request.requester,
    }
    logins = (roles.get(name, name) for name in logins_or_roles)
    # A merge queue or an App can neither be assigned nor review.
    return tuple(dict.fromkeys(login for login in logins if login and not login.endswith("[bot]")))


def _merge(policy: Publish) -> str | None:
    return None if policy.auto_merge == "off" else policy.auto_merge
