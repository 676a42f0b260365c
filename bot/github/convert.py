"""Converts PyGithub's objects to our values."""

from __future__ import annotations

from github.PullRequest import PullRequest as PyGithubPullRequest

from bot.models import PullRequest, Sha

GHOST = "ghost"
"""The account that GitHub shows in place of a deleted one: https://github.com/ghost."""


def pull_request(pull: PyGithubPullRequest) -> PullRequest:
    """Convert a pull request."""
    is_merged = pull.merged_at is not None
    return PullRequest(
        number=pull.number,
        title=pull.title,
        body=pull.body or "",
        author=pull.user.login if pull.user else GHOST,
        url=pull.html_url,
        state=pull.state,
        base=pull.base.ref,
        head=pull.head.ref,
        head_sha=Sha(pull.head.sha),
        merged=is_merged,
        # GitHub fills merge_commit_sha on open pull requests too, with a test merge nobody made.
        merge_commit=Sha(pull.merge_commit_sha) if is_merged and pull.merge_commit_sha else None,
        merged_by=pull.merged_by.login if is_merged and pull.merged_by else None,
        commit_count=pull.commits,
        labels=tuple(label.name for label in pull.labels),
        draft=pull.draft,
        milestone=pull.milestone.number if pull.milestone else None,
    )
