"""A GitHub App is an account like any other: it comments, pushes and opens, with tokens that it renews by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.environment import credentials
from bot.environment.credentials import AppKey
from bot.errors import BadCredentials, ConfigError, GitHubError
from bot.fake_github import rest_http
from bot.fake_github.rest import apps
from bot.git.mirror import open_mirror
from bot.github.client import GitHubClient
from bot.models import Opened
from tests.pipeline.office import BOT, MAINTAINER, REPOSITORY, Office, with_pick

PERMISSIONS = {"contents": "write", "pull_requests": "write", "issues": "write", "checks": "write", "metadata": "read"}


@pytest.fixture
def key(office: Office) -> AppKey:
    app, private = office.fake_github.add_app("backporter", [REPOSITORY], PERMISSIONS)
    return AppKey(str(app.id), private)


@pytest.fixture
def client(office: Office, key: AppKey) -> Iterator[GitHubClient]:
    tokens = GitHubClient(REPOSITORY, token=key, api_url=office.fake_github.api_url)
    yield tokens
    tokens.close()


def test_an_app_serves_a_request_under_its_own_name(office: Office, client: GitHubClient, tmp_path: Path) -> None:
    office.fake_github.grant(REPOSITORY, MAINTAINER, "maintain")
    with open_mirror(client.clone_url, tmp_path / "app.git", token=client.token) as mirror:
        as_app = replace(office, context=replace(with_pick(office.context, mirror=mirror), github=client))
        (result,) = as_app.say("/backport release/1.2 --no-prove")
    assert isinstance(result, Opened)
    assert client.login == "backporter[bot]"
    assert result.pull_request.author == "backporter[bot]"
    assert office.branches()[result.pull_request.head] == result.pull_request.head_sha
    assert "gh" not in (tmp_path / "app.git/config").read_text()


def test_an_app_that_is_named_without_its_ending_still_finds_its_own_comment(office: Office, key: AppKey) -> None:
    app = GitHubClient(REPOSITORY, token=key, api_url=office.fake_github.api_url)
    names = GitHubClient(REPOSITORY, token=app.token(), api_url=office.fake_github.api_url, login="backporter")
    first, second = (names.write_comment(7, f"<!-- mark -->{text}", marker="<!-- mark -->") for text in ("a", "b"))
    assert first == second
    assert names.login == "backporter[bot]"
    app.close()
    names.close()


@pytest.mark.parametrize(("hours", "fact"), [(2, "120 minutes ahead of"), (-2, "120 minutes behind")])
def test_a_clock_that_is_wrong_is_named_when_an_app_cannot_sign_in(
    office: Office, key: AppKey, monkeypatch: pytest.MonkeyPatch, hours: int, fact: str
) -> None:
    shift = timedelta(hours=hours)

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Wrong:
            return cls.fromtimestamp(time.time(), tz) + shift

    monkeypatch.setattr("github.Auth.time", SimpleNamespace(time=lambda: time.time() + shift.total_seconds()))
    monkeypatch.setattr("bot.github.remedies.datetime", Wrong)
    with pytest.raises(BadCredentials) as caught:
        GitHubClient(REPOSITORY, token=key, api_url=office.fake_github.api_url)
    assert f"This machine's clock is {fact} GitHub's." in caught.value.hint


@pytest.mark.parametrize("granted", [False, True])
def test_an_app_knows_whether_it_may_push_workflow_files(office: Office, granted: bool) -> None:
    permissions = PERMISSIONS | ({"workflows": "write"} if granted else {})
    app, private = office.fake_github.add_app("pusher", [REPOSITORY], permissions)
    client = GitHubClient(REPOSITORY, token=AppKey(str(app.id), private), api_url=office.fake_github.api_url)
    assert client.may_push_workflows() is granted
    client.close()


@pytest.mark.parametrize(
    ("scopes", "login", "granted"),
    [
        ("repo, workflow", BOT, True),
        ("repo", BOT, False),
        # What GitHub says of a fine-grained token, of which nothing can be known: nothing.
        ("", BOT, True),
        (None, BOT, True),
        # The token of a workflow run, which no `permissions:` give that right.
        (None, "github-actions[bot]", False),
    ],
)
def test_a_token_is_known_to_lack_the_right_by_its_scopes_or_its_account(
    scopes: str | None, login: str, granted: bool, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {} if scopes is None else {"X-OAuth-Scopes": scopes}
    monkeypatch.setattr(rest_http, "_scopes", lambda token: headers)
    token = office.fake_github.add_token(BOT)
    client = GitHubClient(REPOSITORY, token=token, api_url=office.fake_github.api_url, login=login)
    assert client.may_push_workflows() is granted
    client.close()


def test_its_token_is_renewed_before_it_ends(office: Office, key: AppKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apps, "_LIFETIME", timedelta(seconds=19))  # PyGithub renews 20 seconds ahead
    client = GitHubClient(REPOSITORY, token=key, api_url=office.fake_github.api_url)
    first = client.token()
    assert client.token() != first
    assert client.pull_request(7).number == 7
    client.close()


def test_an_app_that_is_not_installed_is_told_by_name(office: Office) -> None:
    app, private = office.fake_github.add_app("elsewhere", [], PERMISSIONS)
    with pytest.raises(GitHubError, match=f"sign in as App {app.id} on {REPOSITORY}"):
        GitHubClient(REPOSITORY, token=AppKey(str(app.id), private), api_url=office.fake_github.api_url)


def test_secrets_are_taken_out_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(credentials.APP_ID, "12")
    monkeypatch.setenv(credentials.PRIVATE_KEY, "-----BEGIN\\nEND-----")
    monkeypatch.setenv(credentials.TOKEN, "unused")
    account = credentials.require_account("nothing was done")
    assert account == AppKey("12", "-----BEGIN\nEND-----")
    assert "BEGIN" not in repr(account)
    assert [credentials.take(name) for name in (credentials.APP_ID, credentials.PRIVATE_KEY, credentials.TOKEN)] == [
        None,
        None,
        None,
    ]


def test_without_an_account_both_ways_to_have_one_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (credentials.APP_ID, credentials.TOKEN):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError) as missing:
        credentials.require_account("nothing was done")
    assert credentials.PRIVATE_KEY in missing.value.hint
