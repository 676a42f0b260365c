"""What the steps of a backport that talk to GitHub may touch, and how it is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.carried.load import CarriedPatch, configured_patches
from bot.config import Config, load_config
from bot.environment.credentials import Account
from bot.environment.data_folder import private_directory
from bot.environment.signing import SigningKey
from bot.errors import Forbidden, GitHubError, NotFound
from bot.git.mirror import open_beside, open_mirror
from bot.git.repository import Repository
from bot.github.client import GitHubClient
from bot.github.protocol import GitHub
from bot.models import Progress, Target, silent
from bot.pick.caches import PickCaches
from bot.pick.context import PickContext


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryContext:
    """A repository as the steps that read or write on GitHub see it: `pick` for what needs no GitHub, and GitHub.

    A step that must not reach GitHub takes `pick` alone.
    """

    pick: PickContext
    github: GitHub
    other_repositories: Mapping[str, RepositoryContext] = field(default_factory=dict)
    """The repositories of `elsewhere` by name; there, `home` is where the originals are."""
    home: GitHub | None = None
    name_elsewhere: str = ""
    """The repository's name in `elsewhere`; empty for the one where the originals are."""
    pauses: tuple[float, ...] = (2.0, 4.0, 8.0, 16.0, 30.0)
    """Seconds to wait between one look and the next at what GitHub may not know yet."""
    retries_later: bool = False
    """The caller serves a trigger again later if NotYetKnown says so; else the requester is asked to."""
    invisible_repositories: Mapping[str, GitHubError] = field(default_factory=dict)
    """The repositories of `elsewhere` that this account cannot see, each with what GitHub said."""
    signing_key: SigningKey | None = None
    """Signs the lines in the bot's comments that it must believe later; None if there is no lasting secret."""
    run: str = ""
    """The number of this run of a CI, where several runs may be at work; empty for a service, which works alone."""

    @property
    def mirror(self) -> Repository:
        """The repository's mirror."""
        return self.pick.mirror

    @property
    def config(self) -> Config:
        """The configuration."""
        return self.pick.config

    @property
    def patches(self) -> Mapping[str, CarriedPatch]:
        """The carried patches that may apply, by name."""
        return self.pick.patches

    @property
    def progress(self) -> Progress:
        """What prints a line for a person who is waiting."""
        return self.pick.progress

    @property
    def originals(self) -> GitHub:
        """GitHub's view of the repository that the originals are in: this one, unless `home` names another."""
        return self.home or self.github

    def target(self, branch: str) -> str:
        """Return a branch by the name that a requester gives it."""
        return str(Target(self.name_elsewhere or None, branch))


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """How a repository is reached. `directory` keeps the mirror; `login` is the bot's account if its token cannot say.

    `longest_wait` is how long a rate limit is waited for (seconds): a caller that cannot come back later waits longer.
    """

    repository: str
    api_url: str
    directory: Path
    login: str | None = None
    longest_wait: float = 120.0


def _client(connection: ConnectionSettings, account: Account) -> GitHubClient:
    return GitHubClient(
        connection.repository,
        token=account,
        api_url=connection.api_url,
        login=connection.login,
        longest_wait=connection.longest_wait,
    )


@contextmanager
def open_connections(
    connection: ConnectionSettings, account: Account, progress: Progress = silent
) -> Iterator[tuple[GitHubClient, Repository]]:
    """Open a client of GitHub and the mirror, and close both afterwards. A fetch that takes long reports its progress.

    Raises:
        ConfigError: the folder cannot be used.
        GitHubError: the repository cannot be seen.
    """
    private_directory(connection.directory)
    client = _client(connection, account)
    try:
        directory = connection.directory / "mirror.git"
        with open_mirror(client.clone_url, directory, token=client.token, progress=progress) as mirror:
            yield client, mirror
    finally:
        client.close()


@contextmanager
def open_repository_context(
    config: Config,
    *,
    token: Account,
    api_url: str,
    directory: Path,
    beside: Path = Path(),
    login: str | None = None,
    signing_key: SigningKey | None = None,
    progress: Progress = silent,
) -> Iterator[RepositoryContext]:
    """Open the configured repository and those of `elsewhere`, and close them afterwards.

    `directory` keeps the mirror and what its history taught for the next time. `beside` is the folder that the
    configuration's folders of carried patches are relative to. `login` is the bot's account if the token cannot say.
    `signing_key` signs what the bot must believe later.

    Raises:
        GitHubError: the repository, or one of `elsewhere`, cannot be seen with this token.
        ConfigError: a carried patch cannot be read.
    """
    patches = configured_patches(config.patches, beside)
    connection = ConnectionSettings(config.repository, api_url, directory, login)
    with open_connections(connection, token, progress) as (client, mirror):
        pick = PickContext(
            mirror=mirror, config=config, patches=patches, progress=progress, caches=PickCaches.open(directory)
        )
        context = RepositoryContext(pick=pick, github=client, signing_key=signing_key)
        with open_elsewhere(context, connection, token) as complete:
            for error in complete.invisible_repositories.values():
                raise error
            yield complete


@contextmanager
def open_configured_repository(
    file: Path,
    *,
    token: Account,
    api_url: str,
    directory: Path,
    login: str | None = None,
    signing_key: SigningKey | None = None,
    progress: Progress = silent,
) -> Iterator[RepositoryContext]:
    """Do the same for a configuration file; its folders of carried patches are relative to it.

    Raises:
        ConfigError: the configuration, or a carried patch, cannot be read.
        GitHubError: see `open_repository_context`.
    """
    with open_repository_context(
        load_config(file),
        token=token,
        api_url=api_url,
        directory=directory,
        beside=file.parent,
        login=login,
        signing_key=signing_key,
        progress=progress,
    ) as context:
        yield context


@contextmanager
def open_elsewhere(
    context: RepositoryContext, connection: ConnectionSettings, account: Account
) -> Iterator[RepositoryContext]:
    """Open the repositories of `elsewhere` as well; one that the account cannot see is listed as invisible."""
    contexts: dict[str, RepositoryContext] = {}
    invisible: dict[str, GitHubError] = {}
    with ExitStack() as stack:
        for repository in context.config.elsewhere:
            settings = replace(connection, repository=repository.repository)
            try:
                contexts[repository.repository] = stack.enter_context(_open_beside(context, settings, account))
            except (Forbidden, NotFound) as error:
                invisible[repository.repository] = error
        yield replace(context, other_repositories=contexts, invisible_repositories=invisible)


@contextmanager
def _open_beside(
    context: RepositoryContext, connection: ConnectionSettings, account: Account
) -> Iterator[RepositoryContext]:
    """Open another repository on the same mirror, so that a commit of one can be picked onto the other."""
    client = _client(connection, account)
    try:
        # The whole name: `a/b-c` and `a-b/c` are not to share a remote.
        with open_beside(context.mirror, connection.repository, client.clone_url, token=client.token) as mirror:
            yield replace(
                context,
                pick=replace(context.pick, mirror=mirror),
                github=client,
                home=context.github,
                name_elsewhere=connection.repository,
            )
    finally:
        client.close()
