"""Every kind of call of the main journey fails once; afterwards there is one comment, one branch, one pull request."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from bot.models import Opened, TargetOutcome
from tests.pipeline.office import BOT, MAINTAINER, Office

ASK = "/backport release/1.2 --no-prove"

# Each kind of call: method, and a pattern over the path below the API's address.
READS = [
    ("GET", r"^/acme/widget\.git/info/refs$"),
    ("POST", r"^/acme/widget\.git/git-upload-pack$"),
    ("GET", r"^/repos/acme/widget/collaborators/mia/permission$"),
    ("GET", r"^/repos/acme/widget/commits/[0-9a-f]{40}$"),
    ("GET", r"^/repos/acme/widget/commits/[0-9a-f]{40}/pulls$"),
    ("GET", r"^/repos/acme/widget/issues/\d+/comments$"),
    ("POST", r"^/api/graphql$"),
]
WRITES = [
    ("POST", r"^/acme/widget\.git/git-receive-pack$"),
    ("PATCH", r"^/repos/acme/widget/issues/comments/\d+$"),
    ("POST", r"^/repos/acme/widget/check-runs$"),
    ("POST", r"^/repos/acme/widget/issues/\d+/comments$"),
    ("POST", r"^/repos/acme/widget/issues/\d+/labels$"),
    ("POST", r"^/repos/acme/widget/issues/comments/\d+/reactions$"),
    ("POST", r"^/repos/acme/widget/pulls$"),
]
# What a server is asked by REST whose GraphQL lacks a field.
OLDER = [
    ("GET", r"^/repos/acme/widget/commits/[0-9a-f]{40}/check-runs$"),
    ("GET", r"^/repos/acme/widget/issues/comments/\d+/reactions$"),
    ("GET", r"^/repos/acme/widget/pulls$"),
    ("GET", r"^/repos/acme/widget/pulls/\d+$"),
    ("POST", r"^/repos/acme/widget/issues/\d+/assignees$"),
    ("POST", r"^/repos/acme/widget/pulls/\d+/requested_reviewers$"),
]

LIMIT: dict[str, Any] = {
    "headers": {"Retry-After": "0"},
    "body": {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."},
}
FAULTS: dict[str, tuple[Any, dict[str, Any]]] = {
    "secondary limit": (403, LIMIT),
    "429": (429, LIMIT),
    "500": (500, {}),
    "connection reset": ("reset", {}),
    "502 after the effect": (502, {"after_effect": True}),
    "time-out after the effect": ("timeout", {"after_effect": True}),
    "connection reset after the effect": ("reset", {"after_effect": True}),
}
LOST = [name for name in FAULTS if name.endswith("after the effect")]


def _ask(office: Office) -> int:
    return office.issue(7).create_comment(ASK).id


def _serve(office: Office, comment_id: int) -> TargetOutcome:
    (result,) = office.serve(comment_id, ASK)
    return result


def fail_once(office: Office, fault: str, kind: tuple[str, str]) -> None:
    """Let the next call of a kind fail."""
    (method, pattern), (ending, options) = kind, FAULTS[fault]
    # To git a 403 is a refusal; GitHub tells it of limits by 429.
    is_git_limit = ending == 403 and r"\.git" in pattern
    office.fake_github.fail_next(method, pattern, 429 if is_git_limit else ending, **options)


def assert_once(office: Office) -> None:
    """One of each, wherever the failure fell; nothing is missing and nothing is there twice."""
    (answer,) = office.answers()
    assert "opened" in answer
    (pull,) = office.backports()
    branches = {name: tip for name, tip in office.branches().items() if name.startswith("backport/")}
    assert branches == {pull.head.ref: pull.head.sha}
    assert [label.name for label in pull.labels] == ["backport"]
    assert {user.login for user in pull.requested_reviewers} == {MAINTAINER}
    assert len(list(pull.base.repo.get_commit(pull.head.sha).get_check_runs())) == 1
    assert Counter(office.reactions()) == {"eyes": 1, "rocket": 1}


def test_the_kinds_above_are_all_that_the_journey_makes(hasty: Office) -> None:
    comment = _ask(hasty)
    before = len(hasty.fake_github.requests())
    assert isinstance(_serve(hasty, comment), Opened)
    calls = {
        (request.method, request.path.removeprefix("/api/v3"))
        for request in hasty.fake_github.requests()[before:]
        if request.login == BOT
    }
    for method, path in calls:
        assert any(method == kind and re.search(pattern, path) for kind, pattern in READS + WRITES), (method, path)
    for kind, pattern in READS + WRITES:
        assert any(method == kind and re.search(pattern, path) for method, path in calls), (kind, pattern)
    assert_once(hasty)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_kind_of_call_may_fail_once_in_one_journey(hasty: Office, fault: str) -> None:
    comment = _ask(hasty)
    for kind in READS + WRITES:
        fail_once(hasty, fault, kind)
    assert isinstance(_serve(hasty, comment), Opened)
    assert_once(hasty)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_kind_of_call_may_fail_once_where_graphql_is_older(hasty: Office, fault: str) -> None:
    hasty.fake_github.without_fields("IssueComment.fullDatabaseId", "PullRequest.headRepositoryOwner")
    comment = _ask(hasty)
    before = len(hasty.fake_github.requests())
    for kind in READS + WRITES + OLDER:
        fail_once(hasty, fault, kind)
    assert isinstance(_serve(hasty, comment), Opened)
    assert_once(hasty)
    calls = {
        (request.method, request.path.removeprefix("/api/v3")) for request in hasty.fake_github.requests()[before:]
    }
    for name, pattern in OLDER:
        assert any(method == name and re.search(pattern, path) for method, path in calls), (name, pattern)


@pytest.mark.parametrize("fault", FAULTS)
def test_each_query_and_the_mutation_may_fail_once(hasty: Office, fault: str) -> None:
    comment = _ask(hasty)
    ending, options = FAULTS[fault]
    for part in ("requestReviews", "pullRequests(", "reviewThreads"):
        hasty.fake_github.fail_next("POST", "graphql", ending, holding=part, **options)
    assert isinstance(_serve(hasty, comment), Opened)
    assert_once(hasty)


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize(("method", "pattern"), [WRITES[0], WRITES[3], WRITES[6]], ids=["push", "comment", "open"])
def test_what_was_done_but_not_answered_is_not_done_again(hasty: Office, method: str, pattern: str, fault: str) -> None:
    comment = _ask(hasty)
    ending, options = FAULTS[fault]
    hasty.fake_github.fail_next(method, pattern, ending, **options)
    assert isinstance(_serve(hasty, comment), Opened)
    assert_once(hasty)
