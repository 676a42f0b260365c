"""The small project of `office.py`, started anew for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from github import Auth, Github

from bot.carried.load import load_patches
from bot.config import parse_config
from bot.fake_github import FakeGitHub
from bot.git.mirror import open_mirror
from bot.github.client import GitHubClient
from bot.pick.context import PickContext
from bot.pipeline.context import RepositoryContext
from tests.pipeline.office import BOT, MAINTAINER, REPOSITORY, Office, git, seed_pull_requests, write_history

# The suite of the small project's carried patch: the gate runs it, on the trees it is meant for.
collect_ignore = ["patches"]


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the checkout with the whole history; copied for each test, never changed."""
    directory = tmp_path_factory.mktemp("history")
    write_history(directory)
    return directory


@pytest.fixture
def office(history: Path, tmp_path: Path) -> Iterator[Office]:
    """Start a GitHub with the small project on it, and the bot beside it."""
    with running_office(history, tmp_path) as running:
        yield running


@contextmanager
def running_office(history: Path, directory: Path) -> Iterator[Office]:
    """Start a GitHub with the small project on it, and the bot beside it, with their files in a directory."""
    git_dir = directory / "widget.git"
    shutil.copytree(history / ".git", git_dir)
    git(git_dir, "config", "core.bare", "true")
    with FakeGitHub.start(directory / "github") as fake_github:
        tokens = {login: fake_github.add_user(login) for login in (MAINTAINER, "ann", "otto")}
        tokens[BOT] = fake_github.add_user(BOT, type="Bot")
        fake_github.create_repository(REPOSITORY, git_dir)
        fake_github.grant(REPOSITORY, MAINTAINER, "write")
        fake_github.grant(REPOSITORY, BOT, "write")
        seed_pull_requests(fake_github, git_dir)
        client = GitHubClient(REPOSITORY, token=tokens[BOT], api_url=fake_github.api_url, with_pauses=False)
        mirror = open_mirror(client.clone_url, directory / "mirror.git", token=tokens[BOT])
        context = RepositoryContext(
            pick=PickContext(
                mirror=mirror,
                config=parse_config(f"repository: {REPOSITORY}\nprove: {{device: cpu}}\n"),
                patches=load_patches([Path(__file__).parent / "patches"]),
            ),
            github=client,
        )
        people = {
            login: Github(
                auth=Auth.Token(token),
                base_url=fake_github.api_url,
                seconds_between_requests=0,
                seconds_between_writes=0,
            )
            for login, token in tokens.items()
        }
        yield Office(fake_github, git_dir, context, people)
        mirror.close()
        client.close()
        for person in people.values():
            person.close()
