"""Issues and commits to send requests to. PyGithub would read each of them first, which costs a request."""

from __future__ import annotations

from github.Commit import Commit
from github.Issue import Issue
from github.Repository import Repository as PyGithubRepository

from bot.models import Sha


def lazy_issue(repository: PyGithubRepository, number: int) -> Issue:
    """Return an issue or pull request that is read once something of it is asked for."""
    return Issue(repository.requester, url=f"{repository.url}/issues/{number}", completed=False)


def lazy_commit(repository: PyGithubRepository, sha: Sha) -> Commit:
    """Return a commit that is read once something of it is asked for."""
    return Commit(repository.requester, url=f"{repository.url}/commits/{sha}", completed=False)
