"""Exchanges the code of a registration for the secrets of the new GitHub App."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import requests

from bot.errors import GitHubError, Unavailable

_SECONDS = 30


@dataclass(frozen=True, slots=True)
class RegisteredApp:
    """A GitHub App as GitHub registered it. The key is PEM; the secret is empty if the App has no webhook."""

    app_id: str
    slug: str
    page: str
    private_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)


def web_url(api_url: str) -> str:
    """Return where GitHub's pages are. An Enterprise Server has its API below /api/v3 of the same host.

    https://docs.github.com/enterprise-server@latest/rest/quickstart
    """
    parts = urlsplit(api_url)
    host = parts.netloc.removeprefix("api.")
    return f"{parts.scheme}://{host}"


def convert_manifest(code: str, *, api_url: str) -> RegisteredApp:
    """Take the secrets of an App. GitHub gives them once, within an hour; the code is the only credential.

    https://docs.github.com/rest/apps/apps#create-a-github-app-from-a-manifest

    Raises:
        GitHubError: GitHub does not answer, or does not know the code.
    """
    url = f"{api_url}/app-manifests/{quote(code, safe='')}/conversions"
    try:
        answer = requests.post(url, headers={"Accept": "application/vnd.github+json"}, timeout=_SECONDS)
    except requests.RequestException as error:
        raise Unavailable(f"GitHub did not give the App's secrets ({type(error).__name__}).", hint=_HINT) from error
    if answer.status_code != requests.codes.created:
        raise GitHubError(
            f"GitHub did not give the App's secrets (HTTP {answer.status_code}).",
            hint=_HINT,
            http_status=answer.status_code,
            request_id=answer.headers.get("X-GitHub-Request-Id", ""),
        )
    data = answer.json()
    return RegisteredApp(
        app_id=str(data["id"]),
        slug=str(data["slug"]),
        page=str(data["html_url"]),
        private_key=str(data["pem"]),
        webhook_secret=str(data.get("webhook_secret") or ""),
        client_id=str(data.get("client_id") or ""),
        client_secret=str(data.get("client_secret") or ""),
    )


_HINT = "The App may be registered all the same: open it in your settings on GitHub, and make a key and a secret there."
