"""Opens the context of a run: the mirror, a client of GitHub, and the repositories of `elsewhere`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bot.carried.load import CarriedPatch, configured_patches
from bot.config import FILE_NAME, Config, load_config
from bot.environment.credentials import Account
from bot.environment.data_folder import private_directory
from bot.environment.signing import SigningKey
from bot.environment.temporary_folders import scratch_folder
from bot.errors import ConfigError, Forbidden, GitHubError, NotFound
from bot.git.mirror import open_beside, open_mirror
from bot.git.repository import Repository
from bot.github.client import GitHubClient
from bot.github.connection_settings import ConnectionSettings
from bot.models import Progress, silent
from bot.pick.caches import PickCaches
from bot.pick.context import PickContext
from bot.pipeline.context import RepositoryContext
from bot.pipeline.run_folder import RunFolder
from bot.pipeline.run_settings import keep_repository_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """An open repository: a client of GitHub and the mirror."""

    settings: ConnectionSettings
    account: Account
    client: GitHubClient
    mirror: Repository
    progress: Progress

    @contextmanager
    def open_context(
        self,
        config: Config,
        patches: Mapping[str, CarriedPatch],
        *,
        signing_key: SigningKey | None = None,
        run: str = "",
    ) -> Iterator[RepositoryContext]:
        """Open the repositories of `elsewhere` as well; one that the account cannot see is listed as invisible.

        `signing_key` and `run` are those of `RepositoryContext`.
        """
        if config.elsewhere or config.publish.fork is not None:
            # Of a pick from one repository onto another, an object may be missing of either; and a fork that lags
            # behind is pushed all that it lacks.
            self.mirror.make_whole()
        pick = pick_context(self.mirror, config, patches, self.settings, self.progress)
        context = RepositoryContext(pick=pick, github=self.client, signing_key=signing_key, run=run)
        contexts: dict[str, RepositoryContext] = {}
        invisible: dict[str, GitHubError] = {}
        with ExitStack() as stack:
            context = replace(context, fork=self._open_fork(config, stack))
            for entry in config.elsewhere:
                settings = self.settings.to(entry.repository)
                try:
                    contexts[entry.repository] = stack.enter_context(_open_beside(context, settings, self.account))
                except (Forbidden, NotFound) as error:
                    invisible[entry.repository] = error
            yield replace(context, other_repositories=contexts, invisible_repositories=invisible)

    def _open_fork(self, config: Config, stack: ExitStack) -> Repository | None:
        name = config.publish.fork
        if name is None:
            return None
        url = self.client.use_fork(name, can_modify=config.publish.maintainer_can_modify)
        return stack.enter_context(open_beside(self.mirror, name, url, token=self.client.token))


@contextmanager
def _open_beside(
    context: RepositoryContext, settings: ConnectionSettings, account: Account
) -> Iterator[RepositoryContext]:
    """Open another repository on the same mirror, so that a commit of one can be picked onto the other."""
    client = settings.client(account)
    try:
        # The whole name: `a/b-c` and `a-b/c` are not to share a remote.
        with open_beside(context.mirror, settings.repository, client.clone_url, token=client.token) as mirror:
            yield replace(
                context,
                pick=replace(context.pick, mirror=mirror),
                github=client,
                home=context.github,
                fork=None,
                name_elsewhere=settings.repository,
            )
    finally:
        client.close()


def pick_context(
    mirror: Repository,
    config: Config,
    patches: Mapping[str, CarriedPatch],
    settings: ConnectionSettings,
    progress: Progress,
) -> PickContext:
    """Return the context of a pick, with the caches that lie beside the mirror."""
    caches = PickCaches.open(settings.directory)
    return PickContext(
        mirror=mirror,
        config=config,
        patches=patches,
        progress=progress,
        evidence_root=settings.directory / "evidence",
        caches=caches,
    )


@contextmanager
def open_connection(
    settings: ConnectionSettings, account: Account, progress: Progress = silent, *, client: GitHubClient | None = None
) -> Iterator[Connection]:
    """Open a client of GitHub and the mirror, and close both afterwards. A fetch that takes long reports its progress.

    A `client` that is open already is used, and closed as well.

    Raises:
        ConfigError: the folder cannot be used.
        GitHubError: the repository cannot be seen.
    """
    private_directory(settings.directory)
    client = client or settings.client(account)
    try:
        directory = settings.directory / "mirror.git"
        with open_mirror(
            client.clone_url, directory, token=client.token, progress=progress, partial=settings.partial
        ) as mirror:
            yield Connection(settings=settings, account=account, client=client, mirror=mirror, progress=progress)
    finally:
        client.close()


@contextmanager
def open_repository_context(
    config: Config,
    settings: ConnectionSettings,
    account: Account,
    *,
    parent: Path = Path(),
    signing_key: SigningKey | None = None,
    progress: Progress = silent,
) -> Iterator[RepositoryContext]:
    """Open the configured repository and those of `elsewhere`, and close them afterwards.

    `parent` is the folder that the configuration's folders of carried patches are relative to. `signing_key` signs what
    the bot must believe later.

    Raises:
        GitHubError: the repository, or one of `elsewhere`, cannot be seen with this account.
        ConfigError: a carried patch cannot be read.
    """
    patches = configured_patches(config.patches, parent)
    with (
        open_connection(settings.to(config.repository), account, progress) as connection,
        connection.open_context(config, patches, signing_key=signing_key) as context,
    ):
        _require_visible(context)
        yield context


def _require_visible(context: RepositoryContext) -> None:
    for error in context.invisible_repositories.values():
        raise error


@contextmanager
def open_configured_repository(
    file: Path | None,
    settings: ConnectionSettings,
    account: Account,
    *,
    signing_key: SigningKey | None = None,
    progress: Progress = silent,
) -> Iterator[RepositoryContext]:
    """Do the same for a configuration file; its folders of carried patches are relative to it.

    Without a file the configuration is backport.yaml of the repository's default branch. Without that, each key has its
    default. `settings.repository` is the repository if the file does not name one.

    Raises:
        ConfigError: the configuration, or a carried patch, cannot be read.
        GitHubError: see `open_repository_context`.
    """
    if file is None:
        with _open_as_on_default_branch(settings, account, signing_key, progress) as context:
            yield context
        return
    config = load_config(file, repository=settings.repository)
    progress(f"Configuration: {file}.")
    with open_repository_context(
        config, settings, account, parent=file.parent, signing_key=signing_key, progress=progress
    ) as context:
        yield context


@contextmanager
def _open_as_on_default_branch(
    settings: ConnectionSettings, account: Account, signing_key: SigningKey | None, progress: Progress
) -> Iterator[RepositoryContext]:
    if not settings.repository:
        raise ConfigError(
            f"There is no {FILE_NAME}, and nothing else names the repository; nothing was done.",
            hint="Run this in a checkout of it, set GITHUB_REPOSITORY=owner/name, or name a file with --config.",
        )
    with (
        open_connection(settings, account, progress) as connection,
        scratch_folder("backport-settings-") as folder,  # has the carried patches while the context is in use
    ):
        run = keep_repository_settings(connection.client, connection.mirror, RunFolder(folder), progress)
        with connection.open_context(run.config, run.patches, signing_key=signing_key) as context:
            _require_visible(context)
            yield context
