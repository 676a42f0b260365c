"""Limits are waited for as long as allowed; a refusal is no limit; what a POST may have done is never sent blindly."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from bot.errors import Forbidden, GitHubError, RateLimited, Unavailable
from bot.github import http_retry, retrying_caller
from bot.github.client import GitHubClient
from tests.pipeline.office import BOT, REPOSITORY, Office


@pytest.fixture
def client(hasty: Office) -> GitHubClient:
    requests = hasty.context.github
    assert isinstance(requests, GitHubClient)
    return requests


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note the seconds that the bot would wait for a limit, instead of waiting."""
    noted: list[float] = []
    for module in (http_retry, retrying_caller):
        monkeypatch.setattr(module, "time", SimpleNamespace(sleep=noted.append))
    return noted


def _ask(office: Office, path: str) -> list[str]:
    """Return the methods of the bot's requests so far."""
    return [
        attempt.method
        for attempt in office.fake_github.requests()
        if attempt.path.endswith(path) and attempt.login in (BOT, None)
    ]


@pytest.mark.parametrize(
    "headers",
    [{"Retry-After": "60"}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 3600)}],
    ids=["secondary", "primary"],
)
def test_a_limit_longer_than_allowed_is_told_and_not_waited_for(
    hasty: Office, client: GitHubClient, pauses: list[float], headers: dict[str, str]
) -> None:
    hasty.fake_github.fail_next("GET", "/pulls/7$", 403, headers=headers, body={"message": "API rate limit exceeded"})
    with pytest.raises(RateLimited) as limited:
        client.pull_request(7)
    assert pauses == []
    assert limited.value.retry_at.timestamp() > time.time() + 30


def test_a_primary_limit_is_waited_for_until_its_reset(
    hasty: Office, client: GitHubClient, pauses: list[float]
) -> None:
    reset = int(time.time()) + 3
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
    hasty.fake_github.fail_next("GET", "/pulls/7$", 403, headers=headers, body={"message": "API rate limit exceeded"})
    assert client.pull_request(7).number == 7
    assert time.time() + sum(pauses) >= reset


def test_a_refusal_is_not_asked_again(hasty: Office, client: GitHubClient) -> None:
    hasty.fake_github.fail_next("GET", "/pulls/7$", 403, body={"message": "Resource not accessible by integration"})
    before = _ask(hasty, "/pulls/7")
    with pytest.raises(Forbidden, match="Resource not accessible"):
        client.pull_request(7)
    assert _ask(hasty, "/pulls/7") == [*before, "GET"]


def test_an_answer_that_does_not_come_is_given_up_after_its_time(office: Office) -> None:
    """Here the second really passes; `hasty` shortens it."""
    client = GitHubClient(
        REPOSITORY, token=office.fake_github.add_token(BOT), api_url=office.fake_github.api_url, timeout=1
    )
    office.fake_github.fail_next("GET", "/pulls/7$", "timeout")
    assert client.pull_request(7).number == 7
    client.close()


def test_a_server_that_stays_broken_is_told(hasty: Office, client: GitHubClient) -> None:
    for _ in range(4):
        hasty.fake_github.fail_next("GET", "/pulls/7$", 502)
    with pytest.raises(Unavailable):
        client.pull_request(7)


def test_a_comment_whose_post_failed_is_looked_for_before_it_is_posted_again(
    hasty: Office, client: GitHubClient
) -> None:
    hasty.fake_github.fail_next("POST", "/issues/7/comments$", 502)
    client.write_comment(7, "<!-- backport-bot:status:x -->\nHello", marker="<!-- backport-bot:status:x -->")
    assert hasty.answers() == ["<!-- backport-bot:status:x -->\nHello"]
    assert _ask(hasty, "/issues/7/comments") == ["GET", "POST", "GET", "POST"]


LIMITED: dict[str, dict[str, Any]] = {
    "by its type": {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded for user ID 1."}]},
    "by its type alone": {"data": None, "errors": [{"type": "RATE_LIMITED"}]},
    "by a sentence alone": {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."},
}


@pytest.mark.parametrize("body", LIMITED.values(), ids=LIMITED)
def test_a_limit_that_graphql_tells_of_in_a_200_is_waited_for(
    hasty: Office, client: GitHubClient, pauses: list[float], body: dict[str, Any]
) -> None:
    hasty.fake_github.fail_next("POST", "/graphql$", 200, headers={"Retry-After": "3"}, body=body)
    assert client.unresolved_threads(7) == ()
    assert 2 < sum(pauses) <= 4


def test_a_limit_of_graphql_longer_than_allowed_is_told(hasty: Office, client: GitHubClient) -> None:
    reset = int(time.time()) + 3600
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
    hasty.fake_github.fail_next("POST", "/graphql$", 200, headers=headers, body=LIMITED["by its type"])
    with pytest.raises(RateLimited) as limited:
        client.unresolved_threads(7)
    assert limited.value.retry_at.timestamp() >= reset


@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_of_graphql_is_waited_for(hasty: Office, client: GitHubClient, status: int) -> None:
    hasty.fake_github.fail_next(
        "POST", "/graphql$", status, headers={"Retry-After": "1"}, body=LIMITED["by a sentence alone"]
    )
    assert client.unresolved_threads(7) == ()


def test_another_error_of_graphql_is_no_limit(hasty: Office, client: GitHubClient) -> None:
    body = {"data": {"repository": None}, "errors": [{"type": "FORBIDDEN", "message": "Resource not accessible"}]}
    hasty.fake_github.fail_next("POST", "/graphql$", 200, body=body)
    with pytest.raises(GitHubError, match="Resource not accessible") as refused:
        client.unresolved_threads(7)
    assert not isinstance(refused.value, RateLimited)


def test_no_query_waits_as_a_write_does(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("github.Requester.time.sleep", pauses.append)
    # Loopback gets no pauses, and this is to be no loopback.
    monkeypatch.setattr("bot.github.session.urlsplit", lambda _url: SimpleNamespace(hostname="github.example"))
    token = office.fake_github.add_token(BOT)
    client = GitHubClient(REPOSITORY, token=token, api_url=office.fake_github.api_url)
    try:
        client.write_comment(7, "<!-- mark -->a", marker="<!-- mark -->")
        for _ in range(3):
            client.comments(7)
        assert pauses == []
        assert client._github.requester.kwargs["seconds_between_writes"] == 1.0
    finally:
        client.close()
