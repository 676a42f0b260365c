"""Opens a repository that is served: its folder below the data folder, and its configuration on its default branch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from bot.config import parse_config
from bot.environment.credentials import Account
from bot.environment.signing import SigningKey
from bot.environment.temporary_folders import scratch_folder
from bot.errors import ConfigError
from bot.github.client import GitHubClient
from bot.github.connection_settings import ConnectionSettings
from bot.github.counted_requester import Pace
from bot.github.installations import AppInstallations
from bot.models import Progress, Sha
from bot.pipeline.context import RepositoryContext
from bot.pipeline.open_context import Connection, open_connection
from bot.pipeline.run_folder import RunFolder
from bot.pipeline.run_settings import RunSettings, keep_repository_settings
from bot.server.mirrors import FOLDER, Mirrors
from bot.server.pace import WritePace
from bot.server.served_repository import ServedRepository


class ConfigurationFiles:
    """Remembers the configuration file of each repository, as of the commit at which it was last read."""

    def __init__(self) -> None:
        self._files: dict[int, tuple[Sha, bytes | None]] = {}

    def read(self, client: GitHubClient, path: str, commit: Sha) -> bytes | None:
        """Return the file of a commit, or None where there is none."""
        known = self._files.get(client.repository_id)
        if known is None or known[0] != commit:
            known = self._files[client.repository_id] = commit, client.read_file(path, commit)
        return known[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryOpener:
    """Opens any of the served repositories. Each has a folder of its own, named by GitHub's number.

    `installations` are those of the App that the account is; None if each repository is asked for its installation.
    """

    settings: ConnectionSettings
    account: Account
    mirrors: Mirrors
    installations: AppInstallations | None = None
    files: ConfigurationFiles = field(default_factory=ConfigurationFiles)
    signing_key: SigningKey | None
    progress: Progress

    @contextmanager
    def open(self, served: ServedRepository) -> Iterator[RepositoryContext]:
        """Open a repository anew, with a client and a mirror object of its own.

        If its backport.yaml or a carried patch cannot be used, the context has `config_error`.

        Raises:
            GitHubError: the repository cannot be seen.
        """
        settings = replace(self.settings, repository=served.name, pace=self._pace_of(served))
        # The App may serve many owners. What a repository's configuration names is reached with its own token alone.
        account = self._account_for(served)
        client = settings.client(account)
        with (
            self.mirrors.using(client.repository_id, url=client.clone_url) as directory,
            open_connection(
                replace(settings, directory=directory, repository=client.repository),
                account,
                self.progress,
                client=client,
            ) as connection,
            scratch_folder("backport-settings-") as folder,  # has the carried patches while the context is in use
            ExitStack() as stack,
        ):
            try:
                run = self._read_settings(connection, RunFolder(folder), served)
                context = stack.enter_context(
                    connection.open_context(run.config, run.patches, signing_key=self.signing_key)
                )
            except ConfigError as error:
                config = parse_config("", repository=client.repository)
                context = stack.enter_context(connection.open_context(config, {}, signing_key=self.signing_key))
                context = replace(context, config_error=error)
            yield context

    def _read_settings(self, connection: Connection, folder: RunFolder, served: ServedRepository) -> RunSettings:
        client = connection.client
        return keep_repository_settings(
            client,
            connection.mirror,
            folder,
            self.progress,
            former_names=served.names,
            read_file=lambda path, commit: self.files.read(client, path, commit),
        )

    def list(self) -> list[ServedRepository]:
        """Ask GitHub for all repositories that the App is installed on.

        Raises:
            GitHubError: GitHub refuses that, or does not answer.
        """
        if self.installations is None:
            return []
        return [
            ServedRepository(id=repository.id, name=repository.name, installation=repository.installation)
            for repository in self.installations.repositories()
        ]

    def _pace_of(self, served: ServedRepository) -> Pace | None:
        if urlsplit(self.settings.api_url).hostname == "127.0.0.1":
            return None
        return WritePace(self.settings.directory / FOLDER / f"pace-{served.account}.json").wait

    def _account_for(self, served: ServedRepository) -> Account:
        if self.installations is None or served.installation is None:
            return self.account
        return self.installations.account(served.installation)
