"""How often one backport asks GitHub. These numbers are the promise; whoever lowers them lowers them here."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from bot.fake_github.middleware import LoggedRequest
from bot.models import Opened
from tests.pipeline.landing import open_pull, unproven, write
from tests.pipeline.office import BOT, MAINTAINER, Office, git

BRANCHES = ("release/1.2", "release/1.1", "release/1.0")


PER_BRANCH = 8
IN_ONE_PROCESS = 13


def squash_merged(office: Office) -> int:
    """Merge a pull request of two commits as one, and return its number. The repository has the label already."""
    office.issue(11).add_to_labels("backport")
    write(office, "topic", {"widget/new.py": "N = 1\n"}, "Add it", onto="main")
    write(office, "topic", {"widget/new.py": "N = 2\n"}, "Count right")
    pull = open_pull(office, "topic", title="Add it")
    pull.merge(merge_method="squash")
    return pull.number


def api_requests(log: Iterable[LoggedRequest], login: str) -> list[str]:
    """Return what an account asked of GitHub's API, as method and path. An App signs in under no name."""
    return [
        f"{request.method} {request.path.removeprefix('/api').removeprefix('/v3')}"
        for request in log
        if request.path.startswith("/api/") and (request.login == login or _is_sign_in(request.path))
    ]


def _is_sign_in(path: str) -> bool:
    return path.endswith("/installation") or path.startswith("/api/v3/app")


@pytest.mark.parametrize("branches", [1, 2, 3])
def test_a_backport_in_one_process_asks_seldom(office: Office, branches: int) -> None:
    lenient, number = unproven(office), squash_merged(office)
    before = len(office.fake_github.requests())
    results = lenient.say(f"/backport {' '.join(BRANCHES[:branches])}", on=number)
    assert [type(result) for result in results] == [Opened] * branches
    requests = api_requests(office.fake_github.requests()[before:], BOT)
    assert len(requests) <= IN_ONE_PROCESS + PER_BRANCH * (branches - 1), "\n".join(requests)


def test_what_is_left_to_rest_is_asked_for_as_well(office: Office) -> None:
    """A server whose GraphQL is older opens the same, with more requests."""
    fields = ("IssueComment.fullDatabaseId", "PullRequest.headRepositoryOwner", "Mutation.requestReviews")
    office.fake_github.without_fields(*fields)
    lenient, number = unproven(office), squash_merged(office)
    (result,) = lenient.say("/backport release/1.2", on=number)
    assert isinstance(result, Opened)
    (pull,) = office.backports()
    assert [label.name for label in pull.labels] == ["backport"]
    assert [user.login for user in pull.assignees] == [user.login for user in pull.requested_reviewers] == [MAINTAINER]
    assert len(office.answers(number)) == 1
    assert office.reactions(number) == ["eyes", "rocket"]
    assert git(office.git_dir, "rev-parse", pull.head.ref) == pull.head.sha
