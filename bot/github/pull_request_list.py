"""A pull request as GitHub's list shows it → ours.

Owns which fields are read: those that every list entry has. Any other would cost a request of its own for each.
"""

from __future__ import annotations

from datetime import datetime

from github.PullRequest import PullRequest as PyGithubPullRequest

from bot.github.convert import GHOST
from bot.models import ListedPullRequest, Sha

# https://docs.github.com/en/graphql/reference/enums#commentauthorassociation
_PEOPLE = ("OWNER", "MEMBER", "COLLABORATOR")


def listed(forge: PyGithubPullRequest) -> ListedPullRequest:
    """Take over one entry of a list."""
    merged = forge.merged_at is not None
    return ListedPullRequest(
        number=forge.number,
        title=forge.title,
        body=forge.body or "",
        author=forge.user.login if forge.user else GHOST,
        url=forge.html_url,
        state=forge.state,
        base=forge.base.ref,
        head=forge.head.ref,
        updated=_seconds(forge.updated_at),
        merged=_seconds(forge.merged_at),
        # GitHub fills merge_commit_sha on open pull requests too, with a test merge nobody made.
        merge_commit=Sha(forge.merge_commit_sha) if merged and forge.merge_commit_sha else None,
        labels=tuple(label.name for label in forge.labels),
        milestone=forge.milestone.title if forge.milestone else "",
        insider=_is_insider(forge),
    )


def _is_insider(forge: PyGithubPullRequest) -> bool:
    # A fork that is gone leaves no repository.
    own_branch = forge.head.repo is not None and forge.head.repo.id == forge.base.repo.id
    return own_branch or forge.author_association in _PEOPLE


def _seconds(moment: datetime | None) -> int:
    return int(moment.timestamp()) if moment else 0
