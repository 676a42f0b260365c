"""A fake GitHub with one repository, whose every REST answer is checked against GitHub's own description."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from github import Auth, Github
from github.Repository import Repository

from bot.fake_github import FakeGitHub
from bot.fake_github.middleware import Exchange
from tests.fake_github import history, npm
from tests.fake_github.contract import PREFIX, Contract

NAME = "acme/engine"


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """Return the pinned npm packages, or skip."""
    return npm.install_once()


@pytest.fixture(scope="session")
def contract() -> Contract | None:
    """Return GitHub's description; None where there is no Node to fetch it with."""
    return Contract(npm.install_once()) if shutil.which("npm") and shutil.which("node") else None


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the repository that every test copies."""
    return history.build(tmp_path_factory.mktemp("history"))


@pytest.fixture
def fake_github(tmp_path: Path, bare: Path, contract: Contract | None) -> Iterator[FakeGitHub]:
    """Serve acme/engine. Fails the test at its end if an answer is not what GitHub describes."""
    shutil.copytree(bare, tmp_path / "engine.git")
    exchanges: list[Exchange] = []
    threads = set(threading.enumerate())
    with FakeGitHub.start(tmp_path / "github") as server:
        server.watch(exchanges.append)
        server.create_repository(NAME, tmp_path / "engine.git")
        yield server
    leftovers = [
        thread.name for thread in set(threading.enumerate()) - threads if thread.name.startswith("fake-github")
    ]
    assert not leftovers, f"threads outlive the fake GitHub: {leftovers}"
    if contract:
        problems = [
            text for exchange in exchanges if exchange.url.startswith(PREFIX) for text in contract.problems(exchange)
        ]
        assert not problems, "\n".join(problems)


@dataclass
class People:
    """Clients of the fake GitHub, closed when the test ends."""

    fake_github: FakeGitHub
    clients: list[Github]

    def client(self, token: str) -> Github:
        """Return PyGithub for a token, without its pauses and retries."""
        quick: dict[str, Any] = {"seconds_between_requests": 0, "seconds_between_writes": 0}
        client = Github(auth=Auth.Token(token), base_url=self.fake_github.api_url, retry=None, per_page=100, **quick)
        self.clients.append(client)
        return client

    def repository(self, login: str, level: str, kind: str = "User") -> Repository:
        """Return acme/engine as somebody with a level of access sees it."""
        token = self.fake_github.add_user(login, type=kind)  # type: ignore[arg-type]
        self.fake_github.grant(NAME, login, level)
        return self.client(token).get_repo(NAME)


@pytest.fixture
def people(fake_github: FakeGitHub) -> Iterator[People]:
    """Make clients for people with different access."""
    group = People(fake_github, [])
    yield group
    for client in group.clients:
        client.close()


@pytest.fixture
def maintainer(people: People) -> Repository:
    """Return the repository as its maintainer sees it."""
    return people.repository("mia", "maintain")


@pytest.fixture
def bot(people: People) -> Repository:
    """Return the repository as a bot with write access sees it."""
    return people.repository("backport-bot[bot]", "write", "Bot")


@pytest.fixture
def original(fake_github: FakeGitHub) -> int:
    """Seed the merged original pull request and return its number."""
    return fake_github.seed_pull_request(
        NAME, number=7, title="Size the buffer", author="ann", head="ann:topic", merged_by="mia", labels=["bug"]
    )


@pytest.fixture
def branch_from(bot: Repository) -> Callable[[str, str], str]:
    """Return a function that makes a branch with one commit on top of another branch."""

    def make(name: str, base: str, content: str = "y = 2\n") -> str:
        sha = commit_file(bot, base, f"Add something for {base}", "added.py", content)
        bot.create_git_ref(f"refs/heads/{name}", sha)
        return sha

    return make


def commit_file(repository: Repository, base: str, message: str, path: str, content: str) -> str:
    """Write a commit that puts one file on top of a branch, and return it. No ref points at it."""
    parent = repository.get_git_commit(repository.get_branch(base).commit.sha)
    entry = {"path": path, "mode": "100644", "type": "blob", "content": content}
    tree = {"base_tree": parent.tree.sha, "tree": [entry]}
    _, answer = repository.requester.requestJsonAndCheck("POST", f"{repository.url}/git/trees", input=tree)
    commit = {"message": message, "tree": answer["sha"], "parents": [parent.sha]}
    _, answer = repository.requester.requestJsonAndCheck("POST", f"{repository.url}/git/commits", input=commit)
    return str(answer["sha"])
