"""Sets a pull request's metadata: labels, milestone, assignees, reviewers, auto-merge.

Each is a request of its own, so that a refusal (a reviewer without access, a deleted milestone) costs none of the
others. Each request adds, and adding twice is the same as adding once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from github import GithubException
from github.PullRequest import PullRequest as PyGithubPullRequest
from github.Repository import Repository as PyGithubRepository

from bot.github.graphql import enable_auto_merge
from bot.github.lazy_objects import lazy_issue, lazy_pull
from bot.models import Details, PullRequest
from bot.text.logins import same_login

log = logging.getLogger(__name__)


class Step(NamedTuple):
    """One request. `action` completes "GitHub could not …"; `consequence` is reported to people if it is refused."""

    action: str
    request: Callable[[], object]
    consequence: str = ""


def detail_steps(repository: PyGithubRepository, pull_request: PullRequest, details: Details) -> Iterator[Step]:
    """Yield the requests that give a pull request its details."""
    number = pull_request.number
    issue, pull = lazy_issue(repository, number), lazy_pull(repository, number)
    if details.labels:
        yield Step("label it", partial(issue.add_to_labels, *details.labels))
    if details.milestone is not None:
        yield Step("set its milestone", partial(_set_milestone, repository, number, details.milestone))
    for login in details.assignees:
        yield Step(f"assign {login}", partial(_assign, repository, number, login))
    for login in details.reviewers:
        if not same_login(login, pull_request.author):
            yield Step(f"ask {login} for a review", partial(_ask_for_review, pull, number, login))
    for team in details.teams:
        yield Step(f"ask {team} for a review", partial(pull.create_review_request, team_reviewers=[team]))
    if details.merge is not None:
        yield Step(
            "let it merge by itself", partial(_enable_auto_merge, pull, details.merge), "It does not merge by itself."
        )


def _set_milestone(repository: PyGithubRepository, number: int, milestone: int) -> None:
    url = f"{repository.url}/issues/{number}"
    repository.requester.requestJsonAndCheck("PATCH", url, input={"milestone": milestone})


def _assign(repository: PyGithubRepository, number: int, login: str) -> None:
    issue = lazy_issue(repository, number)
    issue.add_to_assignees(login)
    # GitHub ignores people who cannot be assigned, without an error:
    # https://docs.github.com/rest/issues/assignees#add-assignees-to-an-issue
    if not any(same_login(login, assignee.login) for assignee in issue.assignees):
        log.info("#%d: %s cannot be assigned here, and nobody else was", number, login)


def _ask_for_review(pull: PyGithubPullRequest, number: int, login: str) -> None:
    try:
        pull.create_review_request(reviewers=[login])
    except GithubException as error:
        if error.status != 422 or "collaborator" not in str(error.data):
            raise
        # The author of an original often is no collaborator: an everyday case, not worth a warning.
        log.info("#%d: %s is no collaborator, so no review was requested", number, login)


def _enable_auto_merge(pull: PyGithubPullRequest, method: str) -> None:
    if pull.raw_data.get("auto_merge") is None:
        enable_auto_merge(pull, method.upper())
