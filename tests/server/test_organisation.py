"""A service for all repositories that a GitHub App is installed on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from github import Auth, Github
from github.PullRequest import PullRequest

from bot.environment.credentials import AppKey
from bot.fake_github import FakeGitHub
from bot.github.connection_settings import ConnectionSettings
from bot.github.installations import AppInstallations
from bot.models import silent
from bot.server import patience
from bot.server.mirrors import Mirrors
from bot.server.open_repository import RepositoryOpener
from bot.server.repositories import RepositorySource
from bot.server.service import Service, ServiceSettings, running_service
from tests.pipeline.conftest import history
from tests.pipeline.office import MAINTAINER, commit, git, seed_pull_requests
from tests.pipeline.test_request_count import api_requests
from tests.server.serving import SECRET

__all__ = ["history"]

APP = "backporter"
BOT = f"{APP}[bot]"
# How often a request asks GitHub in an open repository. Whoever lowers the numbers lowers them here.
FIRST_BRANCH, EACH_FURTHER = 20, 8
_PERMISSIONS = {"contents": "write", "pull_requests": "write", "issues": "write", "checks": "write"}


@dataclass
class Organisation:
    """A GitHub with copies of the small project, and the bot as an App that serves those it is installed on."""

    fake_github: FakeGitHub
    directory: Path
    service: Service
    maintainer: Github

    def add(self, repository: str, *, private: bool = False) -> None:
        """Make a copy of the project and install the App on it."""
        git_dir = self.directory / f"{repository}.git"
        shutil.copytree(self.directory / "template" / ".git", git_dir)
        git(git_dir, "config", "core.bare", "true")
        self.fake_github.create_repository(repository, git_dir, private=private)
        self.fake_github.grant(repository, MAINTAINER, "write")
        seed_pull_requests(self.fake_github, git_dir, repository)
        self.fake_github.install_app(APP, [repository])
        self.settle()

    def ask(self, repository: str, body: str) -> None:
        """Comment on #9, and wait until the service has nothing to do."""
        self.maintainer.get_repo(repository).get_issue(9).create_comment(body)
        self.settle()

    def settle(self) -> None:
        """Wait until what happened was told and served."""
        self.fake_github.wait_for_deliveries(120)
        assert self.service.wait_until_idle(300)

    def backports(self, repository: str) -> list[PullRequest]:
        """Return the bot's pull requests of a repository, oldest first."""
        pulls = self.maintainer.get_repo(repository).get_pulls(state="all", direction="asc")
        return [pull for pull in pulls if pull.user.login == BOT]

    def answers(self, repository: str) -> list[str]:
        """Return the bot's comments on #9."""
        comments = self.maintainer.get_repo(repository).get_issue(9).get_comments()
        return [comment.body for comment in comments if comment.user.login == BOT]

    def configure(self, repository: str, text: str) -> None:
        """Push another backport.yaml to the default branch."""
        clone = self.directory / "clone"
        shutil.rmtree(clone, ignore_errors=True)
        token = self.fake_github.add_token(MAINTAINER)
        url = self.fake_github.clone_url(repository).replace("://", f"://x:{token}@")
        git(self.directory, "clone", "--quiet", url, str(clone))
        commit(clone, "Configure", {"backport.yaml": text})
        git(clone, "push", "--quiet", "origin", "HEAD:main")
        self.settle()


@contextmanager
def running_organisation(history: Path, directory: Path, database_url: str) -> Iterator[Organisation]:
    """Start a GitHub without repositories, and the bot as an App that is installed nowhere yet."""
    template = directory / "template"
    shutil.copytree(history, template)
    commit(template, "Configure", {"backport.yaml": "prove: {device: cpu, required: false}\n"})
    with ExitStack() as stack:
        fake_github = stack.enter_context(FakeGitHub.start(directory / "github"))
        token = fake_github.add_user(MAINTAINER)
        app, private_key = fake_github.add_app(APP, [], _PERMISSIONS)
        app_key = AppKey(str(app.id), private_key)
        settings = ConnectionSettings(fake_github.api_url, directory / "data")
        installations = AppInstallations(app_key, api_url=fake_github.api_url, longest_wait=0)
        stack.callback(installations.close)
        mirrors = Mirrors(directory / "data")
        opener = RepositoryOpener(
            settings=settings,
            account=app_key,
            signing_key=None,
            progress=silent,
            installations=installations,
            mirrors=mirrors,
        )
        source = RepositorySource(open=opener.open, list=opener.list, repair=mirrors.repair)
        service_settings = ServiceSettings(
            directory=directory / "data", secrets=[SECRET], database=database_url, reads_github=False
        )
        service = stack.enter_context(running_service(source, service_settings))
        app.events, app.webhook_url, app.webhook_secret = ["issue_comment", "push", "repository"], service.url, SECRET
        maintainer = Github(
            auth=Auth.Token(token), base_url=fake_github.api_url, seconds_between_requests=0, seconds_between_writes=0
        )
        stack.callback(maintainer.close)
        yield Organisation(fake_github, directory, service, maintainer)
        assert service.deliveries.problems() == ()


@pytest.fixture
def organisation(history: Path, tmp_path: Path, database_url: str) -> Iterator[Organisation]:
    with running_organisation(history, tmp_path, database_url) as running:
        yield running


def test_all_repositories_of_all_installations_are_served_as_they_come_and_go(organisation: Organisation) -> None:
    for name in ("acme/widget", "other/thing"):
        organisation.add(name)
        organisation.ask(name, "/backport release/1.2")
        assert [pull.base.ref for pull in organisation.backports(name)] == ["release/1.2"]
    before = len(organisation.fake_github.requests())
    organisation.ask("other/thing", "/backport release/1.1 release/1.0")
    requests = api_requests(organisation.fake_github.requests()[before:], BOT)
    assert len(requests) <= FIRST_BRANCH + EACH_FURTHER, "\n".join(requests)
    organisation.fake_github.rename_repository("acme/widget", "acme/motor")
    organisation.ask("acme/motor", "/backport release/1.1")
    assert [pull.base.ref for pull in organisation.backports("acme/motor")] == ["release/1.2", "release/1.1"]
    mirrors = sorted((organisation.directory / "data" / "repositories").iterdir())
    assert len(mirrors) == 2  # a renaming leaves the mirror where it is
    organisation.fake_github.uninstall_app(APP, "other/thing")
    organisation.settle()
    assert [served.name for served in organisation.service.repositories.served()] == ["acme/motor"]
    organisation.fake_github.uninstall_app(APP, "acme/motor")
    organisation.settle()
    assert organisation.service.repositories.served() == []


def test_a_mirror_that_was_damaged_or_left_locked_is_made_anew(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "_FIRST_PAUSE", timedelta(0))
    organisation.add("acme/widget")
    organisation.ask("acme/widget", "/backport release/1.2")
    (mirror,) = organisation.directory.glob("data/repositories/*/mirror.git")
    for path in mirror.joinpath("objects").rglob("*"):
        if path.is_file():
            path.unlink()
    (mirror / "config.lock").touch()
    organisation.ask("acme/widget", "/backport release/1.1")
    assert [pull.base.ref for pull in organisation.backports("acme/widget")] == ["release/1.2", "release/1.1"]
    assert not any(str(organisation.directory) in answer for answer in organisation.answers("acme/widget"))


def test_a_configuration_that_cannot_be_used_is_told_once_and_one_that_is_mended_counts_at_once(
    organisation: Organisation,
) -> None:
    organisation.add("acme/widget")
    repository = organisation.maintainer.get_repo("acme/widget")
    for text in ("labels: 7\n", "# Look.\nlabels: 7\n", "labels: []\nbranchs: []\n"):
        organisation.configure("acme/widget", text)
    (issue,) = [issue for issue in repository.get_issues() if issue.user.login == BOT]
    assert issue.title == "backport.yaml cannot be used"
    assert "branchs" in issue.body
    organisation.ask("acme/widget", "/backport release/1.2")
    (answer,) = organisation.answers("acme/widget")
    assert "branchs" in answer
    assert organisation.backports("acme/widget") == []
    organisation.configure("acme/widget", "prove: {device: cpu, required: false}\nlabels: [stable]\n")
    issue.update()
    assert (issue.state, issue.title) == ("closed", "backport.yaml can be used again")
    organisation.ask("acme/widget", "/backport release/1.2")
    assert [[label.name for label in pull.labels] for pull in organisation.backports("acme/widget")] == [["stable"]]


def test_a_configuration_reaches_no_repository_of_another_installation(organisation: Organisation) -> None:
    organisation.add("acme/secret", private=True)
    organisation.add("evil/thing")
    before = len(organisation.fake_github.requests())
    organisation.configure(
        "evil/thing",
        "prove: {device: cpu, required: false}\nelsewhere: [{repository: acme/secret}]\n"
        f"permissions: {{users: [{MAINTAINER}]}}\n",
    )
    organisation.ask("evil/thing", "/backport acme/secret:release/1.2")
    (answer,) = organisation.answers("evil/thing")
    assert "cannot be seen" in answer
    assert organisation.backports("acme/secret") == []
    assert not any("acme/secret.git" in str(request) for request in organisation.fake_github.requests()[before:])


def test_a_repository_is_served_under_its_number_whatever_name_its_configuration_has(
    organisation: Organisation,
) -> None:
    organisation.add("acme/widget")
    organisation.fake_github.rename_repository("acme/widget", "acme/motor")
    organisation.add("acme/gadget")
    organisation.fake_github.rename_repository("acme/gadget", "acme/widget")
    organisation.settle()
    organisation.configure("acme/motor", "repository: acme/widget\nprove: {device: cpu, required: false}\n")
    organisation.ask("acme/motor", "/backport release/1.2")
    assert [pull.base.ref for pull in organisation.backports("acme/motor")] == ["release/1.2"]
    assert organisation.backports("acme/widget") == []
    assert organisation.answers("acme/widget") == []
