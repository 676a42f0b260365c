"""The state of a fake GitHub, and the one lock around it.

Gives out ids, logins and tokens, and finds things. Knows no HTTP; what clients may do is decided in `rest`.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path

from bot.fake_github.accounts import App, Level, OAuthApp, OAuthCode, Registration, Team, Token, User, now
from bot.fake_github.conversation import Issue, IssueEvent, Label
from bot.fake_github.git_store import GitStore
from bot.fake_github.repository_records import Repository
from bot.fake_github.webhooks import Dispatcher


@dataclass
class World:
    """The state. Hold `lock` to read or change anything in it. `visitor` is who is signed in on the pages."""

    directory: Path
    url: str
    outbox: Dispatcher
    lock: threading.RLock = field(default_factory=threading.RLock)
    users: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    oauth_apps: dict[str, OAuthApp] = field(default_factory=dict)
    oauth_codes: dict[str, OAuthCode] = field(default_factory=dict)
    apps: dict[int, App] = field(default_factory=dict)
    registrations: dict[str, Registration] = field(default_factory=dict)
    visitor: User | None = None
    teams: dict[tuple[str, str], Team] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)
    old_names: dict[str, Repository] = field(default_factory=dict)
    missing_fields: frozenset[str] = frozenset()
    _ids: count[int] = field(default_factory=lambda: count(1001))

    @property
    def api(self) -> str:
        """The root of the REST API."""
        return f"{self.url}/api/v3"

    def next_id(self) -> int:
        """Return a number that no other record has."""
        return next(self._ids)

    # --- people -----------------------------------------------------------------------------------------------------

    def user(self, login: str) -> User | None:
        """Find an account, whatever the case."""
        return self.users.get(login.lower())

    def ensure_user(self, login: str, kind: str = "User") -> User:
        """Find an account or make it."""
        user = self.user(login)
        if user is None:
            number = self.next_id()
            email = f"{number}+{login}@users.noreply.github.com"
            user = User(id=number, login=login, type=kind, name=login, email=email, created_at=now())
            self.users[login.lower()] = user
        return user

    def issue_token(
        self,
        user: User,
        *,
        workflows: bool,
        repositories: tuple[str, ...] | None = None,
        lifetime: timedelta | None = None,
        fine_grained: bool = False,
    ) -> str:
        """Make a secret that stands for the user."""
        prefix = "ghs_" if user.app else "github_pat_" if fine_grained else "ghp_"
        secret = prefix + secrets.token_hex(18)
        expires = now() + lifetime if lifetime else None
        self.tokens[secret] = Token(
            user=user, workflows=workflows, repositories=repositories, expires_at=expires, fine_grained=fine_grained
        )
        return secret

    def token(self, secret: str) -> Token | None:
        """Return the token of a secret; None for an unknown or expired one."""
        token = self.tokens.get(secret)
        return None if token and token.expires_at and token.expires_at <= now() else token

    # --- repositories -----------------------------------------------------------------------------------------------

    def repository(self, owner: str, name: str) -> Repository | None:
        """Find a repository, whatever the case."""
        return self.repositories.get(f"{owner}/{name}".lower())

    def rename(self, repository: Repository, full_name: str) -> None:
        """Give a repository another name, or another owner. Its old address is redirected."""
        old = repository.full_name.lower()
        owner, _, repository.name = full_name.partition("/")
        repository.owner = self.ensure_user(owner, "Organization")
        self.repositories[full_name.lower()] = self.old_names[old] = self.repositories.pop(old)
        for app in self.apps.values():
            app.repositories = [full_name if name.lower() == old else name for name in app.repositories]
        for token in self.tokens.values():
            if token.repositories is not None:
                token.repositories = tuple(full_name.lower() if name == old else name for name in token.repositories)

    def successor(self, owner: str, name: str) -> Repository | None:
        """Find the repository that once had this name, unless another one has it now."""
        full_name = f"{owner}/{name}".lower()
        return None if full_name in self.repositories else self.old_names.get(full_name)

    def add_repository(
        self, full_name: str, git_dir: Path | None, default_branch: str, *, private: bool, parent: Repository | None
    ) -> Repository:
        """Make a repository of the objects in `git_dir`, or in a folder of ours. Its HEAD names the default branch."""
        owner, _, name = full_name.partition("/")
        store = GitStore(git_dir or self.directory / owner / f"{name}.git", default_branch)
        store.run("symbolic-ref", "HEAD", f"refs/heads/{default_branch}")
        if parent:
            store.fetch(parent.git.directory, "+refs/heads/*:refs/heads/*")
        time = now()
        repository = Repository(
            id=self.next_id(),
            owner=self.ensure_user(owner, "User" if parent else "Organization"),
            name=name,
            git=store,
            default_branch=default_branch,
            private=private,
            created_at=time,
            pushed_at=time,
            parent=parent,
            branches=store.refs("refs/heads"),
        )
        self.repositories[full_name.lower()] = repository
        return repository

    def network(self, repository: Repository) -> list[Repository]:
        """List a repository with its parent and forks, which share pull requests."""
        root = repository.parent or repository
        return [record for record in self.repositories.values() if root in {record, record.parent}]

    # --- issues -----------------------------------------------------------------------------------------------------

    def next_number(self, repository: Repository) -> int:
        """Return the number of the next issue or pull request."""
        return max(repository.issues, default=0) + 1

    def label(self, repository: Repository, name: str) -> Label:
        """Find a label or make it, as adding an unknown label to an issue does."""
        if name.lower() not in repository.labels:
            repository.labels[name.lower()] = Label(id=self.next_id(), name=name)
        return repository.labels[name.lower()]

    def note(
        self, issue: Issue, event: str, actor: User, *, label: Label | None = None, commit: str | None = None
    ) -> None:
        """Add an entry to an issue's history and move its `updated_at`."""
        issue.updated_at = time = now()
        entry = IssueEvent(id=self.next_id(), event=event, actor=actor, created_at=time, label=label, commit_id=commit)
        issue.events.append(entry)

    def association(self, repository: Repository, user: User) -> str:
        """Return `author_association`. Membership of an organization is private here, so it never shows."""
        if user is repository.owner:
            return "OWNER"
        if repository.levels.get(user.login.lower(), Level.NONE) > Level.NONE:
            return "COLLABORATOR"
        pulls = [issue.pull for issue in repository.pulls() if issue.user is user]
        contributes = any(pull and pull.merged for pull in pulls)
        return "CONTRIBUTOR" if contributes else "NONE"
