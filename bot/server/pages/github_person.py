"""What the pages ask GitHub for a person who has signed in, with that person's own token.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import requests

from bot.errors import GitHubError, Unavailable
from bot.github.app_registration import web_url
from bot.server.pages.access import KnownRepository
from bot.server.pages.session import SignIn

_SECONDS = 15
_MOST_AT_ONCE = 100
"""Repositories in one query; https://docs.github.com/graphql allows 500,000 nodes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthApp:
    """The App that people sign in with. `callback` is registered with it; `api_url` is that of GitHub's REST API."""

    api_url: str
    client_id: str
    client_secret: str = field(repr=False)
    callback: str

    @property
    def graphql_url(self) -> str:
        """Where GraphQL queries go."""
        return f"{self.api_url.removesuffix('/v3')}/graphql"

    def sign_in_url(self, sign_in: SignIn) -> str:
        """Return the page of GitHub that asks the person."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sign_in.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "client_id": self.client_id,
            "redirect_uri": self.callback,
            "state": sign_in.state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{web_url(self.api_url)}/login/oauth/authorize?{urlencode(query)}"

    def token(self, code: str, sign_in: SignIn) -> str:
        """Exchange GitHub's code for the person's token.

        Raises:
            GitHubError: GitHub does not answer, or refuses the code.
        """
        data = {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "code": code,
            "redirect_uri": self.callback,
            "code_verifier": sign_in.verifier,
        }
        answer = _call("POST", f"{web_url(self.api_url)}/login/oauth/access_token", data=data)
        token = answer.get("access_token")
        if not isinstance(token, str):
            raise GitHubError("GitHub refused the sign-in, so nobody is signed in.", hint="Sign in again.")
        return token

    def login(self, token: str) -> str:
        """Return whose token it is; raises GitHubError."""
        return str(_call("GET", f"{self.api_url}/user", token=token)["login"])

    def visible(self, token: str, repositories: Sequence[KnownRepository]) -> list[KnownRepository]:
        """Return those of the repositories that the person sees, and that are still those of their names.

        Raises GitHubError.
        """
        visible: list[KnownRepository] = []
        for begin in range(0, len(repositories), _MOST_AT_ONCE):
            asked = repositories[begin : begin + _MOST_AT_ONCE]
            variables = {
                f"v{index}": part for index, part in enumerate("/".join(known.name for known in asked).split("/"))
            }
            fields = " ".join(
                f"r{index}: repository(owner: $v{2 * index}, name: $v{2 * index + 1}) {{ databaseId }}"
                for index in range(len(asked))
            )
            declared = ", ".join(f"${name}: String!" for name in variables)
            query = {"query": f"query({declared}) {{ {fields} }}", "variables": variables}
            data = _call("POST", self.graphql_url, token=token, json=query).get("data")
            if not isinstance(data, dict):
                raise GitHubError(
                    "GitHub did not say what you see, so nothing is shown.", hint="Try again in a minute."
                )
            numbers = [(data.get(f"r{index}") or {}).get("databaseId") for index in range(len(asked))]
            visible += [known for known, number in zip(asked, numbers, strict=True) if number and number == known.id]
        return visible

    def comment(self, token: str, repository: str, number: int, body: str) -> str:
        """Write a comment as the person, and return its address; raises GitHubError."""
        url = f"{self.api_url}/repos/{quote(repository)}/issues/{number}/comments"
        return str(_call("POST", url, token=token, json={"body": body}).get("html_url", ""))


def _call(method: str, url: str, *, token: str = "", **options: Any) -> Mapping[str, Any]:  # noqa: ANN401 - of requests
    headers = {"accept": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
    try:
        response = requests.request(method, url, headers=headers, timeout=_SECONDS, allow_redirects=False, **options)
        answer = response.json()
    except requests.RequestException as error:
        raise Unavailable(
            f"GitHub does not answer ({type(error).__name__}), so nothing was done.", hint="Try again in a minute."
        ) from error
    if response.status_code >= 300 or not isinstance(answer, dict):
        raise GitHubError(
            f"GitHub answered {response.status_code}, so nothing was done.", hint="Sign out, sign in, and try again."
        )
    return answer
