"""GitHub's refusals, by field and code or by words, each with its remedy."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

import pytest
import requests
from github import GithubException

from bot.errors import Forbidden, GitHubError, NoDrafts, NotYetKnown, Unavailable, ValidationFailed
from bot.github.translate_errors import translate_errors


def translate(status: int, data: Mapping[str, Any]) -> GitHubError:
    """Return our error for an answer of GitHub's."""
    with pytest.raises(GitHubError) as error, translate_errors("open it"):
        raise GithubException(status, dict(data), {})
    return error.value


def invalid(field: str, code: str, **further_errors: str) -> dict[str, Any]:
    error = {"resource": "PullRequest", "field": field, "code": code, **further_errors}
    return {"message": "Validation Failed", "errors": [error]}


@pytest.mark.parametrize(
    ("status", "data", "kind", "message", "remedy"),
    [
        (422, invalid("head", "invalid"), NotYetKnown, "PullRequest.head is invalid", "pushed branch"),
        (422, {"message": "No commit found for SHA: 01"}, NotYetKnown, "01", "GitHub"),
        (
            422,
            {"message": "Validation Failed", "errors": ["Head sha can't be blank", "Base sha can't be blank"]},
            NotYetKnown,
            "Head sha can't be blank; Base sha can't be blank",
            "GitHub",
        ),
        (422, invalid("base", "invalid"), NotYetKnown, "PullRequest.base is invalid", "target branch"),
        (422, invalid("title", "missing_field"), ValidationFailed, "title is missing field", "which part"),
        (422, invalid("", "custom", message="No commits between a and b"), ValidationFailed, "No commits", "already"),
        (422, {"message": "Draft pull requests are not supported."}, NoDrafts, "Draft", "publish.drafts"),
        (
            400,
            {"errors": [{"type": "UNPROCESSABLE", "message": "Pull request Auto merge is not allowed for this repo"}]},
            GitHubError,
            "Auto merge",
            "publish.auto_merge",
        ),
        (
            400,
            {"errors": [{"type": "UNPROCESSABLE", "message": "Pull request Pull request is in clean status"}]},
            GitHubError,
            "clean status",
            "requires a check",
        ),
        (
            403,
            {"message": "GitHub Actions is not permitted to create or approve pull requests."},
            Forbidden,
            "not permitted",
            "Settings → Actions",
        ),
        (403, {"message": "Resource not accessible by integration"}, Forbidden, "integration", "`permissions:`"),
        (403, {"message": "Repository was archived so is read-only."}, Forbidden, "archived", "unarchive"),
        (410, {"message": "Issues has been disabled in this repository."}, GitHubError, "disabled", "tracking_issue"),
        (418, {"message": "I am a teapot", "errors": "none"}, GitHubError, "teapot", "See GitHub's answer"),
    ],
)
def test_each_refusal_says_what_was_refused_and_what_to_do(
    status: int, data: Mapping[str, Any], kind: type[GitHubError], message: str, remedy: str
) -> None:
    error = translate(status, data)
    assert type(error) is kind
    assert message in error.message
    assert remedy in error.hint


@pytest.mark.parametrize(
    ("listens", "fact"),
    [
        (False, "the connection to 127.0.0.1 failed"),
        (True, "127.0.0.1 did not answer in time"),
    ],
)
def test_where_nothing_answers_it_is_said_who_did_not_and_what_to_do(*, listens: bool, fact: str) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        if listens:
            door.listen()
        url = f"http://127.0.0.1:{door.getsockname()[1]}/"
        with pytest.raises(Unavailable) as error, translate_errors("open repository acme/widget"):
            requests.get(url, timeout=0.2)
    assert error.value.message == (
        f"GitHub was asked to open repository acme/widget, but {fact}. The bot did not go on with it."
    )
    assert "Check that this machine reaches 127.0.0.1" in error.value.hint
