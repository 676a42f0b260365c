"""All installations of a GitHub App: their repositories, and the account that the App has in each.

https://docs.github.com/rest/apps/apps#list-installations-for-the-authenticated-app
https://docs.github.com/rest/apps/installations#list-repositories-accessible-to-the-app-installation
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from github import Auth, GithubIntegration
from github.Installation import Installation

from bot.environment.credentials import AppKey, InstalledApp
from bot.errors import Forbidden, NotFound
from bot.github.http_retry import GitHubRetry
from bot.github.translate_errors import translate_errors

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledRepository:
    """A repository that an App is installed on; `id` and `installation` are GitHub's numbers."""

    id: int
    name: str
    installation: int


class AppInstallations:
    """The installations of one App. It may be used from several threads, which wait for each other.

    `longest_wait` (seconds) bounds the waiting for a rate limit.
    """

    def __init__(self, app: AppKey, *, api_url: str, longest_wait: float) -> None:
        self._app = Auth.AppAuth(app.app_id, app.private_key)
        self._app_id = app.app_id
        self._integration = GithubIntegration(
            auth=self._app,
            base_url=api_url,
            retry=GitHubRetry(longest_wait=longest_wait),
            per_page=100,
            seconds_between_requests=0,
        )
        self._lock = threading.RLock()
        self._accounts: dict[int, InstalledApp] = {}

    def close(self) -> None:
        """Close the connections."""
        self._integration.close()

    def repositories(self) -> list[InstalledRepository]:
        """Return the repositories of all installations, without those that are archived, which nobody can write to.

        Raises:
            GitHubError: the App's key is refused, or GitHub does not answer.
        """
        with self._lock, translate_errors(f"list the installations of App {self._app_id}"):
            installations = list(self._integration.get_installations())
            self._accounts = {
                installation.id: self._known(installation) or self._account_of(installation)
                for installation in installations
            }
            return [
                repository
                for installation in installations
                if installation.suspended_at is None
                for repository in self._repositories_of(installation)
            ]

    def account(self, installation: int) -> InstalledApp:
        """Return the App's account in an installation. All who ask share one token, which is renewed when it is due.

        Raises:
            GitHubError: there is no such installation (any more), or GitHub does not answer.
        """
        with self._lock:
            if installation not in self._accounts:
                with translate_errors(f"find installation {installation} of App {self._app_id}"):
                    found = self._integration.get_app_installation(installation)
                self._accounts[installation] = self._account_of(found)
            return self._accounts[installation]

    def _known(self, installation: Installation) -> InstalledApp | None:
        account = self._accounts.get(installation.id)
        # Its owner may have accepted more permissions; a token has those of the moment when it was made.
        return account if account is not None and account.permissions == installation.permissions else None

    def _account_of(self, installation: Installation) -> InstalledApp:
        auth = self._app.get_installation_auth(installation.id, requester=self._integration.requester)
        return InstalledApp(
            # Comments of an App are by this account: https://docs.github.com/rest/apps/apps
            login=f"{installation.app_slug}[bot]",
            permissions=installation.permissions,
            token=partial(self._token, auth),
        )

    def _token(self, auth: Auth.AppInstallationAuth) -> str:
        with self._lock, translate_errors(f"make a token for installation {auth.installation_id}"):
            return auth.token

    def _repositories_of(self, installation: Installation) -> Iterator[InstalledRepository]:
        try:
            with translate_errors(f"list the repositories of installation {installation.id}"):
                repositories = list(installation.get_repos())
        except (Forbidden, NotFound) as error:
            # It was suspended or taken away a moment ago; the others are served on.
            log.warning("%s Its repositories are not served.", error.message)
            return
        for repository in repositories:
            if not repository.archived:
                yield InstalledRepository(id=repository.id, name=repository.full_name, installation=installation.id)
