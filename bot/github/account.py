"""Signs in with a token, or as a GitHub App.

An App's tokens live one hour. PyGithub requests the next one when it is due, for requests and for git alike:
https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from github import Auth, GithubIntegration

from bot.environment.credentials import Account, InstalledApp
from bot.github.http_retry import GitHubRetry
from bot.github.translate_errors import translate_errors


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The authentication of requests. `login` and `permissions` are None if only a token was given."""

    auth: Auth.Auth
    login: str | None = None
    permissions: Mapping[str, str] | None = None


class _PresentToken(Auth.Auth):
    """Asks for the token at each request."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    @property
    def token_type(self) -> str:
        """See `Auth`."""
        return "token"

    @property
    def token(self) -> str:
        """See `Auth`."""
        return self._token()


def sign_in(account: Account, repository: str, *, api_url: str, retry: GitHubRetry) -> SignedIn:
    """Return how requests are authenticated, and what GitHub says of a GitHub App beforehand.

    Raises:
        GitHubError: the App's key is refused, or it is not installed on the repository.
    """
    if isinstance(account, str):
        return SignedIn(Auth.Token(account))
    if isinstance(account, InstalledApp):
        return SignedIn(_PresentToken(account.token), account.login, account.permissions)
    app = Auth.AppAuth(account.app_id, account.private_key)
    owner, _, name = repository.partition("/")
    with (
        translate_errors(f"sign in as App {account.app_id} on {repository}"),
        GithubIntegration(auth=app, base_url=api_url, retry=retry) as integration,
    ):
        # An App may be installed for many owners; its tokens are valid for one installation.
        installation = integration.get_repo_installation(owner, name)
        return SignedIn(
            auth=app.get_installation_auth(installation.id),
            # Comments of an App are by this account: https://docs.github.com/rest/apps/apps
            login=f"{installation.app_slug}[bot]",
            permissions=installation.permissions,
        )
