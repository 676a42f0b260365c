"""Plans what a trigger asks for, as a CI job: with the repository's settings, into a run folder."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from bot.commands.triggers import AnyTrigger
from bot.config import Config
from bot.environment.credentials import Account
from bot.environment.signing import SigningKey
from bot.errors import ConfigError
from bot.github.client import GitHubClient
from bot.github.connection_settings import ConnectionSettings
from bot.handlers.ci_ready import Ready
from bot.handlers.serve_trigger import refuse
from bot.handlers.stages import needs_account, plan_trigger
from bot.models import Progress
from bot.pipeline.context import RepositoryContext
from bot.pipeline.open_context import Connection, open_connection
from bot.pipeline.run_folder import RunFolder
from bot.pipeline.run_settings import RunSettings, keep_local_settings, keep_repository_settings


def plan_event(
    trigger: AnyTrigger,
    directory: Path,
    client: GitHubClient,
    settings: ConnectionSettings,
    account: Account,
    signing_key: SigningKey | None,
    *,
    config: Path | None,
    progress: Progress,
) -> Ready:
    """Plan into a run folder; see `bot.handlers.ci_plan.run_plan`. Closes the client."""
    folder = RunFolder(directory)
    with open_connection(replace(settings, partial=True), account, progress, client=client) as connection:
        try:
            run_settings = _keep_settings(config, connection, folder, progress)
        except ConfigError as error:
            # Few people see the run's log, so the requester gets a reply as well.
            defaults = RunSettings(Config(repository=client.repository), {})
            with open_run_context(connection, defaults, signing_key) as context:
                refuse(trigger, error, context)
            raise
        with open_run_context(connection, run_settings, signing_key) as context:
            plan_trigger(trigger, folder, context)
    return _ready(folder, run_settings)


def _keep_settings(config: Path | None, connection: Connection, folder: RunFolder, progress: Progress) -> RunSettings:
    if config is not None:
        progress(f"Configuration: {config}.")
        return keep_local_settings(config, folder, connection.client.repository)
    return keep_repository_settings(connection.client, connection.mirror, folder, progress)


def _ready(folder: RunFolder, settings: RunSettings) -> Ready:
    plan, prove = folder.plan(), settings.config.prove
    return Ready(
        targets=plan.planned_targets(),
        results=plan.outcomes(),
        seal=folder.seal("plan"),
        account=needs_account(plan, verified=settings.config.commit.verified),
        runner=prove.actions.labels if prove.runner == "github-actions" else (),
    )


def open_run_context(
    connection: Connection, settings: RunSettings, signing_key: SigningKey | None = None
) -> AbstractContextManager[RepositoryContext]:
    """Open the context of a run of a CI."""
    # GitHub Actions names the run of a workflow: https://docs.github.com/actions/reference/workflows-and-actions/variables
    run = os.environ.get("GITHUB_RUN_ID", "")
    return connection.open_context(settings.config, settings.patches, signing_key=signing_key, run=run)
