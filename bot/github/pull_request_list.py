"""Converts the entries of GitHub's list of pull requests.

Reads only fields that every entry has; any other would cost a request for each entry.
"""

from __future__ import annotations

from datetime import datetime

from github.PullRequest import PullRequest as PyGithubPullRequest

from bot.github.convert import GHOST
from bot.models import ListedPullRequest, Sha

# https://docs.github.com/en/graphql/reference/enums#commentauthorassociation
_PEOPLE = ("OWNER", "MEMBER", "COLLABORATOR")


def convert_listed(pull: PyGithubPullRequest) -> ListedPullRequest:
    """Convert one entry."""
    is_merged = pull.merged_at is not None
    return ListedPullRequest(
        number=pull.number,
        title=pull.title,
        body=pull.body or "",
        author=pull.user.login if pull.user else GHOST,
        url=pull.html_url,
        state=pull.state,
        base=pull.base.ref,
        head=pull.head.ref,
        updated=_seconds(pull.updated_at),
        merged=_seconds(pull.merged_at),
        # GitHub fills merge_commit_sha on open pull requests too, with a test merge nobody made.
        merge_commit=Sha(pull.merge_commit_sha) if is_merged and pull.merge_commit_sha else None,
        labels=tuple(label.name for label in pull.labels),
        milestone=pull.milestone.title if pull.milestone else "",
        insider=_is_insider(pull),
    )


def _is_insider(pull: PyGithubPullRequest) -> bool:
    # A fork that is gone leaves no repository.
    own_branch = pull.head.repo is not None and pull.head.repo.id == pull.base.repo.id
    return own_branch or pull.author_association in _PEOPLE


def _seconds(moment: datetime | None) -> int:
    return int(moment.timestamp()) if moment else 0
