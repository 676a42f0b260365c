"""The records of accounts, Apps, tokens, teams and levels of access.

Records only. No URL, no JSON and no HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum


def now() -> datetime:
    """Return the time as GitHub keeps it: UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


class Level(IntEnum):
    """Access to a repository, lowest first; the names are GitHub's role names."""

    NONE = 0
    READ = 1
    TRIAGE = 2
    WRITE = 3
    MAINTAIN = 4
    ADMIN = 5


@dataclass(kw_only=True, eq=False)
class User:
    """A person, a bot or an organization. `app` is set for the account that a GitHub App acts as.

    GraphQL names nobody for what a deleted account did.
    """

    id: int
    login: str
    type: str
    name: str
    email: str
    created_at: datetime
    app: App | None = None
    deleted: bool = False


@dataclass(kw_only=True, eq=False)
class App:
    """A GitHub App. The public key checks the tokens that its owner signs.

    `installations` has the number of its installation on each account, by login; `repositories` are of all of them.
    """

    id: int
    slug: str
    name: str
    owner: User
    created_at: datetime
    installations: dict[str, int] = field(default_factory=dict)
    repositories: list[str] = field(default_factory=list)
    permissions: dict[str, str] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    external_url: str = ""
    webhook_url: str = ""
    webhook_secret: str = ""
    public_key: str = ""

    @property
    def installation_id(self) -> int:
        """The number of its first installation."""
        return next(iter(self.installations.values()))

    def account_of(self, installation: int) -> str | None:
        """Return the login of the account that an installation is on; None if there is none of this number."""
        return next((login for login, number in self.installations.items() if number == installation), None)

    def repositories_of(self, login: str) -> list[str]:
        """Return the repositories of the installation on an account."""
        return [name for name in self.repositories if name.partition("/")[0].lower() == login.lower()]

    @property
    def level(self) -> Level:
        """The access that its permissions amount to in the repositories where it is installed."""
        return Level.WRITE if "write" in self.permissions.values() else Level.READ


@dataclass(frozen=True, kw_only=True)
class Registration:
    """An App that was registered from a manifest and whose secrets nobody has taken yet. The key is PEM."""

    app: App
    private_key: str
    created_at: datetime


@dataclass(kw_only=True, eq=False)
class Token:
    """What one secret may do. `workflows` is the right to push changes under .github/workflows."""

    user: User
    workflows: bool = True
    fine_grained: bool = False
    repositories: tuple[str, ...] | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class OAuthApp:
    """Another site that people sign in to with their account here. GitHub leads back to its `callback` alone."""

    client_id: str
    secret: str
    callback: str


@dataclass(frozen=True, kw_only=True)
class OAuthCode:
    """What a site exchanges for a token of the user, once. `challenge` is PKCE's, by S256."""

    user: User
    client_id: str
    challenge: str


@dataclass(kw_only=True, eq=False)
class Team:
    """A team of an organization."""

    id: int
    organization: User
    slug: str
    members: list[User] = field(default_factory=list)
