"""Opens a repository that is served: its folder below the data folder, and its configuration on its default branch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bot.environment.credentials import Account
from bot.environment.signing import SigningKey
from bot.environment.temporary_folders import scratch_folder
from bot.github.connection_settings import ConnectionSettings
from bot.models import Progress
from bot.pipeline.context import RepositoryContext
from bot.pipeline.open_context import open_connection
from bot.pipeline.run_folder import RunFolder
from bot.pipeline.run_settings import keep_repository_settings
from bot.server.served_repository import ServedRepository

FOLDER = "repositories"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryOpener:
    """Opens any of the served repositories by one account. Each has a folder of its own, named by GitHub's number."""

    settings: ConnectionSettings
    account: Account
    signing_key: SigningKey | None
    progress: Progress

    @contextmanager
    def open(self, served: ServedRepository) -> Iterator[RepositoryContext]:
        """Open a repository anew, with a client and a mirror object of its own.

        Raises:
            ConfigError: its backport.yaml, or a carried patch, cannot be used.
            GitHubError: the repository cannot be seen.
        """
        client = self.settings.to(served.name).client(self.account)
        directory = self.settings.directory / FOLDER / str(client.repository_id)
        settings = replace(self.settings, directory=directory, repository=client.repository)
        with (
            open_connection(settings, self.account, self.progress, client=client) as connection,
            scratch_folder("backport-settings-") as folder,  # has the carried patches while the context is in use
        ):
            run = keep_repository_settings(
                client, connection.mirror, RunFolder(folder), self.progress, former_names=served.names
            )
            with connection.open_context(run.config, run.patches, signing_key=self.signing_key) as context:
                yield context
