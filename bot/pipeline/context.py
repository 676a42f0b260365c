"""What every step of the line has at hand."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from bot.carried.load import CarriedPatch, configured_patches, find_original
from bot.commands.parser import Command, Verb
from bot.config import Config
from bot.environment.credentials import Account
from bot.environment.data_folder import private_directory
from bot.environment.signing import SigningKey
from bot.errors import Forbidden, GitHubError, NotFound
from bot.git.repository import Repository
from bot.github.client import GitHubClient
from bot.github.protocol import GitHub
from bot.models import BackportOptions, Candidate, MergeMethod, Progress, PullRequest, Sha, StopWhen, never, silent
from bot.pick.strategy import Knowledge


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What making and proving a candidate take: the repository's mirror, its configuration, the carried patches that
    may apply there and what was learned. No way to GitHub.
    """

    mirror: Repository
    config: Config
    patches: Mapping[str, CarriedPatch]
    progress: Progress = silent
    stop_when: StopWhen = never
    evidence: Path | None = None
    """Where a proof on this machine leaves what its runs reported; None keeps nothing."""
    knowledge: Knowledge = field(default_factory=Knowledge)

    def patch_for(self, original: PullRequest) -> CarriedPatch | None:
        """Return the carried patch of an original pull request, or None."""
        return find_original(self.patches, self.config.repository, pull_request=original.number)

    def now(self) -> str:
        """Return the present moment in git's raw form, for the committer of a candidate."""
        return f"{int(time.time())} +0000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace(Workshop):
    """A workshop with a door to GitHub."""

    github: GitHub
    others: Mapping[str, Workplace] = field(default_factory=dict)
    """The repositories of `elsewhere` by name; there, `home` is where the originals are."""
    home: GitHub | None = None
    elsewhere: str = ""
    """The repository's name in `elsewhere`; empty for the one where the originals are."""
    pauses: tuple[float, ...] = (2.0, 4.0, 8.0, 16.0, 30.0)
    """Seconds to wait between one look and the next at what GitHub may not know yet."""
    comes_back: bool = False
    """The caller serves a trigger again later where NotYetKnown says so; else the requester is asked to."""
    unseen: Mapping[str, GitHubError] = field(default_factory=dict)
    """The repositories of `elsewhere` that this account cannot see, each with what GitHub said."""

    signing: SigningKey | None = None
    """What signs the lines in the bot's comments that it must believe later; None where there is no lasting secret."""
    run: str = ""
    """The number of this run of a CI, where several runs may be at work; empty for a service, which works alone."""

    @property
    def originals(self) -> GitHub:
        """The door to the repository of the originals, which is this one where nothing else is said."""
        return self.home or self.github

    def target(self, branch: str) -> str:
        """Return a branch by the name that a requester gives it."""
        return f"{self.elsewhere}:{branch}" if self.elsewhere else branch


@dataclass(frozen=True, slots=True)
class Doors:
    """Where both doors lead. `directory` keeps the mirror; `login` is the bot's account where its token cannot say.

    A rate limit is waited for that long (seconds): whoever cannot come back later waits longer.
    """

    repository: str
    api_url: str
    directory: Path
    login: str | None = None
    longest_wait: float = 120.0


def _client(doors: Doors, account: Account) -> GitHubClient:
    return GitHubClient(
        doors.repository,
        token=account,
        api_url=doors.api_url,
        login=doors.login,
        longest_wait=doors.longest_wait,
    )


@contextmanager
def opened_doors(doors: Doors, account: Account) -> Iterator[tuple[GitHubClient, Repository]]:
    """Open both doors and close them afterwards.

    Raises:
        ConfigError: the folder cannot be used.
        GitHubError: the repository cannot be seen.
    """
    private_directory(doors.directory)
    client = _client(doors, account)
    try:
        with Repository.mirror(client.clone_url, doors.directory / "mirror.git", token=client.token) as mirror:
            yield client, mirror
    finally:
        client.close()


@contextmanager
def opened_workplace(
    config: Config,
    *,
    token: Account,
    api_url: str,
    directory: Path,
    beside: Path = Path(),
    login: str | None = None,
    signing: SigningKey | None = None,
    progress: Progress = silent,
) -> Iterator[Workplace]:
    """Open both doors of the configured repository and close them afterwards.

    `directory` keeps the mirror and what its history taught from one time to the next. `beside` is the folder that the
    configuration's own folders of carried patches are relative to. `login` is the bot's account where the token cannot
    say. `signing` signs what the bot must believe later.

    Raises:
        GitHubError: the repository, or one of `elsewhere`, cannot be seen with this token.
        ConfigError: a carried patch cannot be read.
    """
    patches = configured_patches(config.patches, beside)
    doors = Doors(config.repository, api_url, directory, login)
    with opened_doors(doors, token) as (client, mirror):
        knowledge = Knowledge.kept_in(directory)
        at = Workplace(
            github=client,
            mirror=mirror,
            config=config,
            patches=patches,
            progress=progress,
            knowledge=knowledge,
            signing=signing,
        )
        with opened_elsewhere(at, doors, token) as whole:
            for error in whole.unseen.values():
                raise error
            yield whole


@contextmanager
def opened_elsewhere(at: Workplace, doors: Doors, account: Account) -> Iterator[Workplace]:
    """Open the doors of the repositories of `elsewhere` as well; one that cannot be seen is noted as `unseen`."""
    others: dict[str, Workplace] = {}
    unseen: dict[str, GitHubError] = {}
    with ExitStack() as stack:
        for other in at.config.elsewhere:
            there = replace(doors, repository=other.repository)
            try:
                others[other.repository] = stack.enter_context(_opened_beside(at, there, account))
            except (Forbidden, NotFound) as error:
                unseen[other.repository] = error
        yield replace(at, others=others, unseen=unseen)


@contextmanager
def _opened_beside(at: Workplace, doors: Doors, account: Account) -> Iterator[Workplace]:
    """Open another repository's doors on the same mirror, so that a commit of one can be picked onto the other."""
    client = _client(doors, account)
    try:
        # The whole name: `a/b-c` and `a-b/c` are not to share a remote.
        with at.mirror.beside(doors.repository, client.clone_url, token=client.token) as mirror:
            yield replace(at, github=client, mirror=mirror, home=at.github, elsewhere=doors.repository)
    finally:
        client.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backport:
    """One request being served: the original as it was merged, and what the requester switched on.

    `siblings` are the candidates that this request made for other branches so far, newest branch first.
    `companion_originals` are the merge commits of companions that are to come along, as far as they are merged.
    `named` are the commits that the requester named, as they wrote them.
    `comment_id` is the comment that asked, or `labelled_at` the moment of the label that did.
    """

    original: PullRequest
    merge_method: MergeMethod
    commits: tuple[Sha, ...]
    options: BackportOptions
    requester: str
    patch: CarriedPatch | None = None
    siblings: tuple[Candidate, ...] = ()
    companion_originals: Mapping[str, Sha] = field(default_factory=dict)
    named: tuple[str, ...] = ()
    comment_id: int | None = None
    labelled_at: datetime | None = None
    undone: str = ""
    """A sentence for the requester and the reviewer where the original was reverted since; else empty."""

    def asking(self, branch: str, **changes: bool) -> Command:
        """Return the command that asks for this backport to one branch, with these options changed."""
        return Command(verb=Verb.BACKPORT, options=self.options, commits=self.named).onto(branch, **changes)
