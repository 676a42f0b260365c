"""Runs `reconcile` as a command: secrets from the environment, settings from backport.yaml."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.environment import credentials
from bot.github.connection_settings import ConnectionSettings
from bot.handlers.reconcile import reconcile
from bot.models import Progress, TargetOutcome
from bot.pipeline.open_context import open_configured_repository


def reconcile_once(
    config: Path | None, settings: ConnectionSettings, *, days: float, progress: Progress
) -> tuple[TargetOutcome, ...]:
    """Serve the unanswered requests on pull requests that changed in the last days.

    Raises:
        ConfigError: the configuration cannot be read, or the token is missing.
        GitHubError: the repository cannot be seen with the token.
    """
    token = credentials.require_account("nothing was looked at")
    # What the service signed can be believed with the same secret alone.
    secret = credentials.take(credentials.WEBHOOK_SECRET)
    with open_configured_repository(
        config,
        settings,
        token,
        signing_key=credentials.signing_key(token, webhook_secret=secret),
        progress=progress,
    ) as context:
        return reconcile(context, since=datetime.now(UTC) - timedelta(days=days))
