"""Sets a pull request's metadata: labels, milestone, assignees, reviewers, auto-merge.

Each is a request of its own, so that a refusal (a reviewer without access, a deleted milestone) costs none of the
others. Each request adds, and adding twice is the same as adding once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class LeftOut:
    """The people whom GitHub does not accept, by what they were to do. Nobody needs to be told of the `uncertain`."""

    uncertain: frozenset[str] = frozenset()
    assignees: list[str] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)

    def add_assignee(self, login: str) -> None:
        """Note that GitHub did not assign a person."""
        self._add(login, self.assignees)

    def add_reviewer(self, login: str) -> None:
        """Note that GitHub did not ask a person for a review."""
        self._add(login, self.reviewers)

    def _add(self, login: str, logins: list[str]) -> None:
        if not any(same_login(login, uncertain) for uncertain in self.uncertain):
            logins.append(login)

    def notes(self) -> Iterator[str]:
        """Yield a sentence about each list that is not empty."""
        if self.assignees:
            yield f"Not assigned, as GitHub does not accept them here: {', '.join(self.assignees)}."
        if self.reviewers:
            yield f"Not asked for a review, as GitHub does not accept them here: {', '.join(self.reviewers)}."


def detail_steps(
    repository: PyGithubRepository, pull_request: PullRequest, details: Details, left_out: LeftOut
) -> Iterator[Step]:
    """Yield the requests that give a pull request its details. They fill `left_out` as they are made."""
    number = pull_request.number
    issue, pull = lazy_issue(repository, number), lazy_pull(repository, number)
    if details.labels:
        yield Step("label it", partial(issue.add_to_labels, *details.labels))
    if details.milestone is not None:
        yield Step("set its milestone", partial(_set_milestone, repository, number, details.milestone))
    for login in details.assignees:
        yield Step(f"assign {login}", partial(_assign, repository, number, login, left_out.add_assignee))
    for login in details.reviewers:
        if not same_login(login, pull_request.author):
            ask = partial(_ask_for_review, pull, number, login, left_out.add_reviewer)
            yield Step(f"ask {login} for a review", ask)
    for team in details.teams:
        consequence = f"The team {team} is not asked for a review."
        yield Step(f"ask {team} for a review", partial(pull.create_review_request, team_reviewers=[team]), consequence)
    if details.merge is not None:
        yield Step(
            "let it merge by itself", partial(_enable_auto_merge, pull, details.merge), "It does not merge by itself."
        )


def _set_milestone(repository: PyGithubRepository, number: int, milestone: int) -> None:
    url = f"{repository.url}/issues/{number}"
    repository.requester.requestJsonAndCheck("PATCH", url, input={"milestone": milestone})


def _assign(repository: PyGithubRepository, number: int, login: str, leave_out: Callable[[str], None]) -> None:
    issue = lazy_issue(repository, number)
    issue.add_to_assignees(login)
    # GitHub ignores people who cannot be assigned, without an error:
    # https://docs.github.com/rest/issues/assignees#add-assignees-to-an-issue
    if not any(same_login(login, assignee.login) for assignee in issue.assignees):
        log.info("#%d: %s cannot be assigned here, and nobody else was", number, login)
        leave_out(login)


def _ask_for_review(pull: PyGithubPullRequest, number: int, login: str, leave_out: Callable[[str], None]) -> None:
    try:
        pull.create_review_request(reviewers=[login])
    except GithubException as error:
        if error.status != 422 or "collaborator" not in str(error.data):
            raise
        # The author of an original often is no collaborator: an everyday case, not worth a warning.
        log.info("#%d: %s is no collaborator, so no review was requested", number, login)
        leave_out(login)


# A later comment takes nothing back: https://docs.github.com/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/about-pull-request-reviews
_LAST_WORDS = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")


def read_approvers(pull: PyGithubPullRequest) -> tuple[str, ...]:
    """Return the people whose last word on a pull request was an approval, in the order of their reviews."""
    last_words: dict[str, str] = {}
    for review in pull.get_reviews():
        # GitHub names no user for a deleted account.
        if review.user is not None and review.state in _LAST_WORDS:
            last_words[review.user.login] = review.state
    return tuple(login for login, state in last_words.items() if state == "APPROVED")


def _enable_auto_merge(pull: PyGithubPullRequest, method: str) -> None:
    if pull.raw_data.get("auto_merge") is None:
        enable_auto_merge(pull, method.upper())
