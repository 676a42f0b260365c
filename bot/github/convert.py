"""Converts PyGithub's pull requests to our values."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from github.PullRequest import PullRequest as PyGithubPullRequest

from bot.github.fork import Fork
from bot.models import ListedPullRequest, PullRequest, Sha

GHOST = "ghost"
"""The account that GitHub shows in place of a deleted one: https://github.com/ghost."""
# https://docs.github.com/en/graphql/reference/enums#commentauthorassociation
_PEOPLE = ("OWNER", "MEMBER", "COLLABORATOR")


class _SharedFields(TypedDict):
    """The fields of both values, which every entry of a list has."""

    number: int
    title: str
    body: str
    author: str
    url: str
    state: str
    base: str
    head: str
    merge_commit: Sha | None
    labels: tuple[str, ...]


def _shared_fields(pull: PyGithubPullRequest) -> _SharedFields:
    return _SharedFields(
        number=pull.number,
        title=pull.title,
        body=pull.body or "",
        author=pull.user.login if pull.user else GHOST,
        url=pull.html_url,
        state=pull.state,
        base=pull.base.ref,
        head=pull.head.ref,
        # GitHub fills merge_commit_sha on open pull requests too, with a test merge nobody made.
        merge_commit=Sha(pull.merge_commit_sha) if pull.merged_at is not None and pull.merge_commit_sha else None,
        labels=tuple(label.name for label in pull.labels),
    )


def convert_pull_request(pull: PyGithubPullRequest) -> PullRequest:
    """Convert a pull request that was asked for by itself."""
    is_merged = pull.merged_at is not None
    return PullRequest(
        **_shared_fields(pull),
        head_sha=Sha(pull.head.sha),
        merged=is_merged,
        merged_by=pull.merged_by.login if is_merged and pull.merged_by else None,
        commit_count=pull.commits,
        draft=pull.draft,
        milestone=pull.milestone.number if pull.milestone else None,
        assignees=tuple(person.login for person in pull.assignees),
        requested_reviewers=tuple(person.login for person in pull.requested_reviewers),
        requested_teams=tuple(team.slug for team in pull.requested_teams),
    )


def convert_listed(pull: PyGithubPullRequest, fork: Fork | None = None) -> ListedPullRequest:
    """Convert an entry of GitHub's list of pull requests.

    Reads only fields that every entry has; any other would cost a request for each entry. `fork` has branches of ours.
    """
    return ListedPullRequest(
        **_shared_fields(pull),
        updated=_seconds(pull.updated_at),
        merged=_seconds(pull.merged_at),
        milestone=pull.milestone.title if pull.milestone else "",
        insider=_is_insider(pull, fork),
    )


def _is_insider(pull: PyGithubPullRequest, fork: Fork | None) -> bool:
    own = {pull.base.repo.id, fork.repository.id if fork is not None else None}
    # A fork that is gone leaves no repository.
    own_branch = pull.head.repo is not None and pull.head.repo.id in own
    return own_branch or pull.author_association in _PEOPLE


def _seconds(moment: datetime | None) -> int:
    return int(moment.timestamp()) if moment else 0
