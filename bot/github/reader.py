"""Reads GitHub's REST API without changing anything: each request is a GET, and a refusal is an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from github import Auth, Github

from bot.environment.credentials import Account, AppKey
from bot.github.account import sign_in
from bot.github.http_retry import GitHubRetry
from bot.github.translate_errors import translate_errors


@dataclass(frozen=True, slots=True)
class Reply:
    """GitHub's answer to a GET. `data` is None if it was no JSON."""

    status: int
    headers: Mapping[str, str]
    data: Any

    @property
    def ok(self) -> bool:
        """Whether GitHub gave what was asked for."""
        return self.status == 200

    def field(self, *keys: str) -> Any:  # noqa: ANN401 - JSON of any shape
        """Return a value inside objects, or None if one of the keys is missing."""
        data = self.data
        for key in keys:
            data = data.get(key) if isinstance(data, Mapping) else None
        return data


@dataclass(frozen=True, slots=True)
class Reader:
    """One repository, read by an account or by nobody. `permissions` are an App's on it, None for other accounts."""

    repository: str
    _github: Github
    _app: Github | None = None
    permissions: Mapping[str, str] | None = None

    def get(self, path: str) -> Reply:
        """Read a path of the API, e.g. `/user`. Raises GitHubError if GitHub does not answer."""
        return _get(self._github, path)

    def get_here(self, path: str = "") -> Reply:
        """Read a path below the repository's own, e.g. `/hooks`."""
        return self.get(f"/repos/{self.repository}{path}")

    def get_as_app(self, path: str) -> Reply | None:
        """Read a path as the App itself; None if the account is no App."""
        return _get(self._app, path) if self._app is not None else None

    def git_token(self) -> str:
        """Return the present token for git; empty for nobody."""
        auth = self._github.requester.auth
        with translate_errors("make a token"):
            return auth.token if auth is not None else ""


@contextmanager
def open_reader(repository: str, account: Account | None, *, api_url: str, longest_wait: float) -> Iterator[Reader]:
    """Sign in and yield the reader; its connections are closed afterwards.

    Raises:
        GitHubError: the App's key is refused, or it is not installed on the repository.
    """
    options: dict[str, Any] = {"base_url": api_url, "retry": GitHubRetry(longest_wait=longest_wait), "timeout": 30}
    options |= {"per_page": 100, "seconds_between_requests": 0}
    signed_in = sign_in(account, repository, api_url=api_url, retry=options["retry"]) if account is not None else None
    app_auth = Auth.AppAuth(account.app_id, account.private_key) if isinstance(account, AppKey) else None
    app = Github(auth=app_auth, **options) if app_auth is not None else None
    with Github(auth=signed_in.auth if signed_in else None, **options) as client:
        try:
            yield Reader(repository, client, app, signed_in.permissions if signed_in else None)
        finally:
            if app is not None:
                app.close()


def _get(github: Github, path: str) -> Reply:
    with translate_errors(f"read {path}"):
        status, headers, text = github.requester.requestJson("GET", path)
    try:
        data = json.loads(text) if text else None
    except ValueError:
        data = None
    return Reply(status, {name.lower(): str(value) for name, value in headers.items()}, data)
