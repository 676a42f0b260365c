"""Lazy PyGithub objects: saves the GET that `get_issue`, `get_pull` and `get_commit` would send."""

from __future__ import annotations

from github.Commit import Commit
from github.Issue import Issue
from github.PullRequest import PullRequest
from github.Repository import Repository as PyGithubRepository

from bot.models import Sha


def lazy_issue(repository: PyGithubRepository, number: int) -> Issue:
    """Return an issue or pull request whose attributes are read when first used."""
    return Issue(repository.requester, url=f"{repository.url}/issues/{number}", completed=False)


def lazy_pull(repository: PyGithubRepository, number: int) -> PullRequest:
    """Return a pull request whose attributes are read when first used."""
    return PullRequest(repository.requester, url=f"{repository.url}/pulls/{number}", completed=False)


def lazy_commit(repository: PyGithubRepository, sha: Sha) -> Commit:
    """Return a commit whose attributes are read when first used."""
    return Commit(repository.requester, url=f"{repository.url}/commits/{sha}", completed=False)
