"""Runs the service as a command: secrets from the environment, settings from backport.yaml."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bot.config import load_config
from bot.environment import credentials
from bot.environment.credentials import AppKey
from bot.environment.data_folder import private_directory
from bot.errors import BackportError, ConfigError, RateLimited, Unavailable
from bot.github.connection_settings import ConnectionSettings
from bot.github.installations import AppInstallations
from bot.models import Progress
from bot.pipeline.open_context import open_configured_repository
from bot.proof.run_isolated import end_runs
from bot.server.end_signal import EndSignal
from bot.server.mirrors import DEFAULT_LIMIT, Mirrors
from bot.server.open_repository import RepositoryOpener
from bot.server.repositories import RepositorySource
from bot.server.service import Service, ServiceSettings, running_service

_CONSEQUENCE = "the service was not started"
_MOST_LOOKED_AT = 3
"""Repositories that are opened at the start: if those can be seen, the account is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryChoice:
    """Which repositories to serve: those of `names`, else the one that the file `config` names.

    Without either they are all that the GitHub App is installed on, or with a token the one that the settings name.
    `mirror_limit` is the bytes that all mirrors may take.
    """

    names: Sequence[str] = ()
    config: Path | None = None
    mirror_limit: int = DEFAULT_LIMIT


def serve_until_interrupted(
    choice: RepositoryChoice,
    settings: ConnectionSettings,
    *,
    service: ServiceSettings,
    progress: Progress,
) -> None:
    """Serve webhooks until Ctrl-C or SIGTERM.

    Secrets come from the environment; `service` has none of them. Its folder keeps the mirrors for the next start, and
    the queue as well, unless a PostgreSQL is named.

    Raises:
        ConfigError: the configuration cannot be read, a secret is missing, or the database cannot be used.
        GitHubError: the repository cannot be seen with this account. If GitHub does not answer, it is waited for.
    """
    account = credentials.require_account(_CONSEQUENCE)
    secret = credentials.require(credentials.WEBHOOK_SECRET, _CONSEQUENCE)
    old_secret = credentials.take(credentials.OLD_WEBHOOK_SECRET)
    database = service.database or credentials.take(credentials.DATABASE)
    pages = replace(
        service.pages,
        client_id=credentials.take(credentials.CLIENT_ID) or "",
        client_secret=credentials.take(credentials.CLIENT_SECRET) or "",
        api_url=settings.api_url,
    )
    pages.check()
    private_directory(settings.directory)
    signing_key = credentials.signing_key(account, webhook_secret=secret)
    mirrors = Mirrors(settings.directory, choice.mirror_limit)
    opener = RepositoryOpener(
        settings=settings, account=account, signing_key=signing_key, progress=progress, mirrors=mirrors
    )
    source = _source(choice.config, choice.names, opener)
    secrets = [secret, old_secret] if old_secret else [secret]
    service = replace(service, secrets=secrets, signing_key=signing_key, database=database, pages=pages)
    with EndSignal() as end, mirrors.kept(), running_service(source, service) as running:
        served = ", ".join(source.names) or "all repositories that the App is installed on"
        progress(f"Serving {served} at {running.url}; Ctrl-C ends it after the steps in hand.")
        look = _Look(running, end, progress)
        threading.Thread(target=look.run, name="backport-look", daemon=True).start()
        end.wait()
        progress("Ending; what waits is kept for the next start.")
        end_runs()
    if look.error is not None:
        raise look.error
    end.raise_it()


def _source(config: Path | None, names: Sequence[str], opener: RepositoryOpener) -> RepositorySource:
    if config is not None:
        name = load_config(config, repository=opener.settings.repository).repository
        open_context = partial(
            open_configured_repository,
            config,
            opener.settings,
            opener.account,
            signing_key=opener.signing_key,
            progress=opener.progress,
        )
        return RepositorySource(open=lambda _served: open_context(), names=[name])
    if not names and isinstance(opener.account, AppKey):
        settings = opener.settings
        installations = AppInstallations(opener.account, api_url=settings.api_url, longest_wait=settings.longest_wait)
        opener = replace(opener, installations=installations)
        return RepositorySource(open=opener.open, list=opener.list, repair=opener.mirrors.repair)
    names = names or [_required(opener.settings.repository)]
    return RepositorySource(open=opener.open, names=names, repair=opener.mirrors.repair)


def _required(repository: str) -> str:
    if not repository:
        raise ConfigError(
            f"Nothing names the repository, so {_CONSEQUENCE}.",
            hint="Name it with --repository, set GITHUB_REPOSITORY=owner/name, or name a file with --config.",
        )
    return repository


class _Look:
    """Finds out about a wrong token at once, and not from the first request. `error` is what ended the service."""

    def __init__(self, service: Service, end: EndSignal, progress: Progress) -> None:
        self._service, self._end, self._progress = service, end, progress
        self.error: BackportError | None = None

    def run(self) -> None:
        """Open each repository that was named, and end the service if GitHub refuses that."""
        repositories = self._service.repositories
        try:
            repositories.list_again()
            for served in repositories.served()[:_MOST_LOOKED_AT]:
                with repositories.lend(served.name):
                    continue
        except (RateLimited, Unavailable) as error:
            self._progress(f"{error.message} Deliveries are accepted, and served as soon as GitHub answers.")
        except BackportError as error:
            self.error = error
            self._end.tell()
