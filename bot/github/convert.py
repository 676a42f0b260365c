"""PyGithub's objects → our values."""

from __future__ import annotations

from github.PullRequest import PullRequest as PyGithubPullRequest

from bot.models import PullRequest, Sha

GHOST = "ghost"
"""Whom GitHub shows in the place of an account that is gone."""


def pull_request(forge: PyGithubPullRequest) -> PullRequest:
    """Return a pull request as the bot speaks of it."""
    merged = forge.merged_at is not None
    return PullRequest(
        number=forge.number,
        title=forge.title,
        body=forge.body or "",
        author=forge.user.login if forge.user else GHOST,
        url=forge.html_url,
        state=forge.state,
        base=forge.base.ref,
        head=forge.head.ref,
        head_sha=Sha(forge.head.sha),
        merged=merged,
        # GitHub fills merge_commit_sha on open pull requests too, with a test merge nobody made.
        merge_commit=Sha(forge.merge_commit_sha) if merged and forge.merge_commit_sha else None,
        merged_by=forge.merged_by.login if merged and forge.merged_by else None,
        commit_count=forge.commits,
        labels=tuple(label.name for label in forge.labels),
        draft=forge.draft,
        milestone=forge.milestone.number if forge.milestone else None,
    )
