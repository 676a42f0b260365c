"""Runs the service as a command: secrets from the environment, settings from backport.yaml."""

from __future__ import annotations

import threading
from pathlib import Path

from bot.environment import credentials
from bot.models import Progress
from bot.pipeline.open_context import ConnectionSettings, open_configured_repository
from bot.server.service import running_service


def serve_until_interrupted(
    config: Path | None, settings: ConnectionSettings, *, port: int, progress: Progress
) -> None:
    """Serve one repository's webhooks until Ctrl-C; its folder keeps the mirror and the journal for the next start.

    Raises:
        ConfigError: the configuration cannot be read, or a secret is missing.
        GitHubError: the repository cannot be seen with the token.
    """
    token = credentials.require_account("the service was not started")
    secret = credentials.require(credentials.WEBHOOK_SECRET, "the service was not started")
    with (
        open_configured_repository(
            config,
            settings,
            token,
            signing_key=credentials.signing_key(token, webhook_secret=secret),
            progress=progress,
        ) as context,
        running_service(
            context,
            directory=settings.directory,
            secret=secret,
            own_login=settings.login,
            port=port,
            on_results=lambda _results: None,
        ) as service,
    ):
        progress(f"Serving {context.config.repository} at {service.url}; Ctrl-C ends it after the request in hand.")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            progress("Ending; waiting deliveries are kept for the next start.")
