"""Signing in: a token as it is, or a GitHub App that makes its own.

An App's tokens live one hour. PyGithub makes the next one when it is due, for requests and for git alike.
"""

from __future__ import annotations

from github import Auth, GithubIntegration

from bot.credentials import Account
from bot.github.patience import Patience
from bot.github.translate import translated


def sign_in(account: Account, repository: str, *, api_url: str, patience: Patience) -> tuple[Auth.Auth, str | None]:
    """Return what requests are signed with, and the account's login where it is known already.

    Raises:
        GitHubError: the App's key is refused, or it is not installed on the repository.
    """
    if isinstance(account, str):
        return Auth.Token(account), None
    app = Auth.AppAuth(account.app_id, account.private_key)
    owner, _, name = repository.partition("/")
    with (
        translated(f"sign in as App {account.app_id} on {repository}"),
        GithubIntegration(auth=app, base_url=api_url, retry=patience) as integration,
    ):
        installation = integration.get_repo_installation(owner, name)
        return app.get_installation_auth(installation.id), f"{integration.get_app().slug}[bot]"
