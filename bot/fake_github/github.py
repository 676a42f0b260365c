"""Starts a GitHub on loopback for a test or the demo, fills it, and shows its state.

Everything else is reached as on GitHub, by REST, GraphQL, git and a browser.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

from bot.errors import BackportError
from bot.fake_github.accounts import App, Level, OAuthApp, Team, now
from bot.fake_github.app_registration import new_key
from bot.fake_github.events import installation_event
from bot.fake_github.git_http import install_hook
from bot.fake_github.github_state import World
from bot.fake_github.middleware import Exchange, Fault, LoggedRequest
from bot.fake_github.repository_records import PushRule, Repository, Runner, Webhook
from bot.fake_github.seeding import HistorySeeder
from bot.fake_github.server import Server
from bot.fake_github.webhooks import Delivery, Dispatcher
from bot.fake_github.workflow_runner import WorkflowRunner


class FakeGitHub(HistorySeeder, WorkflowRunner):
    """A running fake GitHub; use it as a context manager. The caller owns `directory`, which keeps its repositories."""

    def __init__(self, directory: Path) -> None:
        self._outbox = Dispatcher()
        self._server = Server()
        directory.mkdir(parents=True, exist_ok=True)
        install_hook(directory)
        self.world = World(directory=directory.resolve(), url=self._server.url, outbox=self._outbox)
        self._outbox.start()
        self._fault_injector = self._server.start(self.world)

    @classmethod
    def start(cls, directory: Path) -> FakeGitHub:
        """Serve an empty GitHub on a free port of 127.0.0.1."""
        return cls(directory)

    def stop(self) -> None:
        """End both threads and close every socket. What is queued for webhooks is not sent any more."""
        self._server.stop()
        self._outbox.stop()

    def __enter__(self) -> FakeGitHub:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- addresses --------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The root of the pages and of git's addresses."""
        return self.world.url

    @property
    def api_url(self) -> str:
        """What clients take as base URL; GraphQL is beside it, as on GitHub Enterprise."""
        return self.world.api

    @property
    def graphql_url(self) -> str:
        """Where GraphQL queries go."""
        return f"{self.url}/api/graphql"

    def clone_url(self, repository: str) -> str:
        """Return what `git clone` takes; it holds no credentials."""
        return f"{self.url}/{repository}.git"

    def without_fields(self, *names: str) -> None:
        """Let GraphQL lack these fields (`Type.field`), as an older GitHub Enterprise Server does."""
        self.world.missing_fields = frozenset(names)

    # --- people -----------------------------------------------------------------------------------------------------

    def add_user(
        self,
        login: str,
        *,
        type: Literal["User", "Bot", "Organization"] = "User",  # noqa: A002 - GitHub's own word for it
        workflows: bool = True,
    ) -> str:
        """Make an account and return a token for it. Only a token with `workflows` may push workflow files."""
        with self.world.lock:
            user = self.world.ensure_user(login, type)
            return self.world.issue_token(user, workflows=workflows)

    def delete_user(self, login: str) -> None:
        """Delete an account. What it wrote stays, and GraphQL names nobody for it; its tokens stay valid."""
        with self.world.lock:
            self.world.ensure_user(login).deleted = True

    def add_token(self, login: str, *, workflows: bool = True, fine_grained: bool = False) -> str:
        """Return one more token for an account. Of a fine-grained one GitHub does not tell what it may do."""
        with self.world.lock:
            user = self.world.user(login)
            if user is None:
                raise BackportError(f"The fake GitHub has no account {login}.", hint="ApiRequest add_user first.")
            return self.world.issue_token(user, workflows=workflows, fine_grained=fine_grained)

    def add_team(self, organization: str, slug: str, members: Iterable[str]) -> None:
        """Make a team; its members are made where they are missing."""
        with self.world.lock:
            owner = self.world.ensure_user(organization, "Organization")
            people = [self.world.ensure_user(login) for login in members]
            team = Team(id=self.world.next_id(), organization=owner, slug=slug, members=people)
            self.world.teams[organization.lower(), slug.lower()] = team

    def add_oauth_app(self, callback: str) -> tuple[str, str]:
        """Let people sign in to another site with their accounts here; returns the site's client id and its secret."""
        app = OAuthApp(client_id=f"Iv23{secrets.token_hex(8)}", secret=secrets.token_hex(20), callback=callback)
        with self.world.lock:
            self.world.oauth_apps[app.client_id] = app
        return app.client_id, app.secret

    def add_app(self, slug: str, repositories: Iterable[str], permissions: Mapping[str, str]) -> tuple[App, str]:
        """Install a GitHub App on repositories; returns it with its private key, which is not kept."""
        private, public = new_key()
        with self.world.lock:
            records = [self._repository(name) for name in repositories]
            account = self.world.ensure_user(f"{slug}[bot]", "Bot")
            app = App(
                id=self.world.next_id(),
                slug=slug,
                name=slug,
                owner=records[0].owner if records else account,
                created_at=now(),
                permissions=dict(permissions),
                public_key=public,
            )
            account.app = self.world.apps[app.id] = app
            for record in records:
                self._install(app, record)
        return app, private

    def sign_in(self, login: str) -> None:
        """Let a person visit the pages from now on. Each visitor is this person."""
        with self.world.lock:
            self.world.visitor = self.world.ensure_user(login)

    def install_app(self, slug: str, repositories: Iterable[str]) -> App:
        """Install an App that was registered from a manifest, as its owner would on its page."""
        with self.world.lock:
            app = self._app(slug)
            hook = Webhook(
                id=self.world.next_id(),
                url=app.webhook_url,
                secret=app.webhook_secret,
                events=frozenset(app.events),
                app_id=app.id,
            )
            for record in map(self._repository, repositories):
                self._install(app, record)
                record.webhooks += [hook] if app.webhook_url else []
                if app.webhook_url:
                    installation_event(self.world, app, hook, record, "added")
            return app

    def uninstall_app(self, slug: str, repository: str) -> None:
        """Take a repository out of an App's installation, as the owner of the repository would."""
        with self.world.lock:
            app, record = self._app(slug), self._repository(repository)
            app.repositories.remove(record.full_name)
            record.levels.pop(f"{slug}[bot]")
            hooks = [hook for hook in record.webhooks if hook.app_id == app.id]
            record.webhooks = [hook for hook in record.webhooks if hook.app_id != app.id]
            for hook in hooks:
                installation_event(self.world, app, hook, record, "removed")

    def _app(self, slug: str) -> App:
        return next(app for app in self.world.apps.values() if app.slug == slug)

    def _install(self, app: App, record: Repository) -> None:
        app.installations.setdefault(record.owner.login, self.world.next_id())
        app.repositories.append(record.full_name)
        record.levels[f"{app.slug}[bot]".lower()] = app.level

    # --- repositories -----------------------------------------------------------------------------------------------

    def create_repository(
        self,
        full_name: str,
        git_dir: Path | None = None,
        default_branch: str = "main",
        *,
        private: bool = False,
        fork_of: str | None = None,
    ) -> None:
        """Make a repository. `git_dir` is adopted: only its HEAD is set; without it an empty bare one is made."""
        with self.world.lock:
            parent = self._repository(fork_of) if fork_of else None
            self.world.add_repository(full_name, git_dir, default_branch, private=private, parent=parent)

    def grant(self, repository: str, login: str, level: str) -> None:
        """Give a person access: read, triage, write, maintain or admin; none takes it away."""
        with self.world.lock:
            self.world.ensure_user(login)
            self._repository(repository).levels[login.lower()] = Level[level.upper()]

    def require_checks(self, repository: str, branch: str, checks: Iterable[str]) -> None:
        """Refuse merges into a branch until these check runs have succeeded."""
        with self.world.lock:
            self._repository(repository).required_checks[branch] = tuple(checks)

    def refuse_pushes(self, repository: str, summary: str, remarks: str) -> None:
        """Refuse every push from now on by a rule of the repository, in GitHub's words: see PushRule."""
        with self.world.lock:
            self._repository(repository).push_rule = PushRule(summary=summary, remarks=remarks)

    def add_branch_rule(self, repository: str, glob: str, kind: str) -> None:
        """Let a rule of this type apply to the branches that match. It is shown, and refuses nothing."""
        with self.world.lock:
            self._repository(repository).branch_rules.append((glob, kind))

    def add_runner(self, repository: str, labels: Iterable[str]) -> None:
        """Register a self-hosted runner."""
        with self.world.lock:
            runner = Runner(id=self.world.next_id(), name="runner", labels=tuple(labels))
            self._repository(repository).runners.append(runner)

    def archive(self, repository: str) -> None:
        """Make a repository read-only."""
        with self.world.lock:
            self._repository(repository).archived = True

    def let_actions_open_pulls(self, repository: str) -> None:
        """Allow workflow runs to open pull requests, in the settings of Actions."""
        with self.world.lock:
            self._repository(repository).actions_open_pulls = True

    def switch_off(self, repository: str, feature: Literal["drafts", "auto_merge"]) -> None:
        """Switch off a feature that depends on the owner's plan or the repository's settings."""
        with self.world.lock:
            setattr(self._repository(repository), feature, False)

    def add_webhook(self, repository: str, url: str, secret: str, events: Iterable[str]) -> None:
        """Send events to an address from now on. No ping is sent. An empty secret sends no signature."""
        with self.world.lock:
            hook = Webhook(id=self.world.next_id(), url=url, secret=secret, events=frozenset(events))
            self._repository(repository).webhooks.append(hook)

    # --- observations -------------------------------------------------------------------------------------------------

    def deliveries(self) -> tuple[Delivery, ...]:
        """List every webhook delivery, oldest first."""
        return self._outbox.deliveries()

    def wait_for_deliveries(self, timeout: float = 10.0) -> None:
        """Return when every delivery so far has ended, well or badly. Raises TimeoutError."""
        self._outbox.wait(timeout)

    def requests(self) -> tuple[LoggedRequest, ...]:
        """List every HTTP request so far, without its secrets."""
        return self._fault_injector.requests()

    def watch(self, watcher: Callable[[Exchange], None]) -> None:
        """Call `watcher` with every answer from now on, on the server's thread."""
        self._fault_injector.watchers.append(watcher)

    # --- failures -----------------------------------------------------------------------------------------------------

    def fail_next(
        self,
        method: str,
        path: str,
        ending: int | Literal["timeout", "reset"],
        *,
        after_effect: bool = False,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        holding: str = "",
    ) -> None:
        """Fail the next request of this method and path, once; with `holding` the next whose body has that text.

        `path` is a pattern that is searched in the path below `api_url`; `ending` is an HTTP status, no answer or a TCP
        reset. With `after_effect` the request does its work and only its answer is lost.
        """
        content = json.dumps(body if body is not None else {"message": "Server Error"}).encode()
        self._fault_injector.expect(
            Fault(
                method=method,
                path=re.compile(path),
                holding=holding.encode(),
                ending=ending,
                after_effect=after_effect,
                headers=headers or {},
                body=content,
            )
        )

    def is_silent(self, peer: tuple[str, int]) -> bool:
        """Return whether a client, by the address of its end, waits for an answer that will not come: a "timeout"."""
        return self._fault_injector.is_silent(peer)

    def fail_no_more(self) -> None:
        """Drop the failures that no request has met yet."""
        self._fault_injector.clear()
