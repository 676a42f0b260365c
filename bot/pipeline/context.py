"""The context of the steps that talk to GitHub. `bot.pipeline.open_context` opens it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.carried.load import CarriedPatch
from bot.config import Config
from bot.environment.signing import SigningKey
from bot.errors import ConfigError, GitHubError
from bot.git.repository import Repository
from bot.github.protocol import GitHub
from bot.models import Progress, Target
from bot.pick.context import PickContext


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryContext:
    """A repository for steps that read or write on GitHub: its `pick` context, and a client of GitHub.

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
    fork: Repository | None = None
    """The same mirror with the fork as its remote, if backport branches are pushed to one."""
    config_error: ConfigError | None = None
    """Why backport.yaml cannot be used. Then `config` has the default of each key, and nothing but that may be told."""
    run: str = ""
    """The number of this run of a CI, where several runs may be at work; empty for a service, which works alone."""

    @property
    def mirror(self) -> Repository:
        """The repository's mirror."""
        return self.pick.mirror

    @property
    def heads(self) -> Repository:
        """The mirror whose remote has the backport branches: a fork's if one is configured."""
        return self.fork or self.mirror

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
        """Prints a line for a person who is waiting."""
        return self.pick.progress

    @property
    def originals(self) -> GitHub:
        """GitHub's view of the repository that the originals are in: this one, unless `home` names another."""
        return self.home or self.github

    def target(self, branch: str) -> str:
        """Return a branch by the name that a requester gives it."""
        return str(Target(self.name_elsewhere or None, branch))
