"""How a repository is reached: by which account of GitHub, and in which folder its mirror is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from bot.environment.credentials import Account
from bot.github.client import GitHubClient
from bot.github.counted_requester import Pace


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """How a repository is reached. `directory` keeps the mirror; `login` is the bot's account if its token cannot say.

    `longest_wait` is how long a rate limit is waited for (seconds): a caller that cannot come back later waits longer.
    `repository` is empty until a configuration or a plan has named it. A mirror that is made new can be `partial`: it
    fetches only what it is asked for. `pace` is that of `GitHubSession`.
    """

    api_url: str
    directory: Path
    login: str | None = None
    longest_wait: float = 120.0
    repository: str = ""
    partial: bool = False
    pace: Pace | None = None

    def to(self, repository: str) -> Self:
        """Return the same settings for a repository."""
        return replace(self, repository=repository)

    def client(self, account: Account) -> GitHubClient:
        """Make a client of GitHub, which the caller closes. Raises GitHubError if the repository cannot be seen."""
        return GitHubClient(
            self.repository,
            token=account,
            api_url=self.api_url,
            login=self.login,
            longest_wait=self.longest_wait,
            pace=self.pace,
        )
