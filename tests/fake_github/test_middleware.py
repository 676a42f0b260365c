"""Failures that a test asks for happen once, as asked, and nothing else does."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import pytest
import requests
from github.GithubException import GithubException
from github.Repository import Repository

from bot.fake_github import FakeGitHub
from tests.fake_github.conftest import NAME
from tests.fake_github.history import git

COMMENTS = r"/issues/7/comments$"


def test_status_comes_once_with_its_headers_and_without_the_effect(
    fake_github: FakeGitHub, original: int, bot: Repository
) -> None:
    issue = bot.get_issue(original)
    body = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
    fake_github.fail_next("POST", COMMENTS, 403, headers={"Retry-After": "60"}, body=body)
    with pytest.raises(GithubException) as error:
        issue.create_comment("x")
    assert error.value.status == 403
    assert (error.value.headers or {})["retry-after"] == "60"
    assert issue.get_comments().totalCount == 0
    issue.create_comment("x")
    assert issue.get_comments().totalCount == 1


@pytest.mark.parametrize("ending", [502, "timeout", "reset"])
def test_effect_may_stay_though_the_answer_is_lost(
    ending: Literal["timeout", "reset"] | int, fake_github: FakeGitHub, original: int, bot: Repository
) -> None:
    fake_github.fail_next("POST", COMMENTS, ending, after_effect=True)
    url = f"{fake_github.api_url}/repos/{NAME}/issues/{original}/comments"
    token = {"Authorization": f"Bearer {fake_github.add_token('backport-bot[bot]')}"}
    if isinstance(ending, int):
        assert requests.post(url, json={"body": "x"}, headers=token, timeout=60).status_code == ending
    else:
        with pytest.raises((requests.ConnectionError, requests.Timeout)):
            requests.post(url, json={"body": "x"}, headers=token, timeout=0.5)
    deadline = time.monotonic() + 60  # the client may have left before the effect
    while not list(bot.get_issue(original).get_comments()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [entry.body for entry in bot.get_issue(original).get_comments()] == ["x"]


def test_reset_cuts_the_connection(fake_github: FakeGitHub) -> None:
    fake_github.fail_next("GET", "^/app$", "reset")
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        requests.get(f"{fake_github.api_url}/app", timeout=60)
    assert requests.get(f"{fake_github.api_url}/app", timeout=60).status_code == 401


def test_server_stops_quickly_while_somebody_waits_for_an_answer(tmp_path: Path) -> None:
    with FakeGitHub.start(tmp_path) as fake_github:
        fake_github.fail_next("GET", "^/app$", "timeout")
        with pytest.raises(requests.Timeout):
            requests.get(f"{fake_github.api_url}/app", timeout=0.2)
        start = time.monotonic()
    assert time.monotonic() - start < 30


def test_push_can_fail_after_it_was_taken(fake_github: FakeGitHub, bot: Repository, tmp_path: Path) -> None:
    token = fake_github.add_token("backport-bot[bot]")
    url = fake_github.clone_url(NAME).replace("http://", f"http://x-access-token:{token}@")
    git("clone", "--quiet", url, "clone", cwd=tmp_path)
    fake_github.fail_next("POST", "git-receive-pack$", 500, after_effect=True)
    result = git("push", "origin", "HEAD:refs/heads/new", cwd=tmp_path / "clone", check=False)
    assert result.returncode != 0
    assert bot.get_branch("new").commit.sha == bot.get_branch("main").commit.sha


def test_log_counts_who_asked_what(fake_github: FakeGitHub, original: int, bot: Repository) -> None:
    bot.get_issue(original).create_comment("x")
    requests.get(f"{fake_github.api_url}/app", timeout=60)
    posts = [entry for entry in fake_github.requests() if entry.method == "POST"]
    assert [(entry.path, entry.status, entry.login) for entry in posts] == [
        (f"/api/v3/repos/{NAME}/issues/{original}/comments", 201, "backport-bot[bot]")
    ]
    assert fake_github.requests()[-1].login is None
