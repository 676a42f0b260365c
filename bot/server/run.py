"""Runs the service as a command: secrets from the environment, settings from backport.yaml."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

from bot.config import load_config
from bot.environment import credentials
from bot.environment.data_folder import private_directory
from bot.errors import BackportError, RateLimited, Unavailable
from bot.github.connection_settings import ConnectionSettings
from bot.models import Progress
from bot.pipeline.open_context import open_configured_repository
from bot.proof.run_isolated import end_runs
from bot.server.end_signal import EndSignal
from bot.server.service import Service, ServiceSettings, running_service

_CONSEQUENCE = "the service was not started"


def serve_until_interrupted(
    config: Path | None,
    settings: ConnectionSettings,
    *,
    database: str | None,
    host: str,
    port: int,
    progress: Progress,
) -> None:
    """Serve one repository's webhooks until Ctrl-C or SIGTERM.

    Its folder keeps the mirror for the next start, and the queue as well, unless `database` names a PostgreSQL.

    Raises:
        ConfigError: the configuration cannot be read, a secret is missing, or the database cannot be used.
        GitHubError: the repository cannot be seen with this account. If GitHub does not answer, it is waited for.
    """
    repository = load_config(config, repository=settings.repository).repository if config else settings.repository
    account = credentials.require_account(_CONSEQUENCE)
    secret = credentials.require(credentials.WEBHOOK_SECRET, _CONSEQUENCE)
    old_secret = credentials.take(credentials.OLD_WEBHOOK_SECRET)
    private_directory(settings.directory)
    open_context = partial(
        open_configured_repository,
        config,
        settings,
        account,
        signing_key=credentials.signing_key(account, webhook_secret=secret),
        progress=progress,
    )
    service_settings = ServiceSettings(
        directory=settings.directory,
        secrets=[secret, old_secret] if old_secret else [secret],
        own_login=settings.login,
        database=database,
        host=host,
        port=port,
    )
    with EndSignal() as end, running_service(open_context, service_settings) as service:
        progress(f"Serving {repository} at {service.url}; Ctrl-C ends it after the steps in hand.")
        look = _Look(service, end, progress)
        threading.Thread(target=look.run, name="backport-look", daemon=True).start()
        end.wait()
        progress("Ending; what waits is kept for the next start.")
        end_runs()
    if look.error is not None:
        raise look.error
    end.raise_it()


class _Look:
    """Finds out about a wrong token at once, and not from the first request. `error` is what ended the service."""

    def __init__(self, service: Service, end: EndSignal, progress: Progress) -> None:
        self._service, self._end, self._progress = service, end, progress
        self.error: BackportError | None = None

    def run(self) -> None:
        """Open the repository, and end the service if GitHub refuses that."""
        try:
            with self._service.contexts.lend():
                return
        except (RateLimited, Unavailable) as error:
            self._progress(f"{error.message} Deliveries are accepted, and served as soon as GitHub answers.")
        except BackportError as error:
            self.error = error
            self._end.tell()
