"""The small project of `tests/pipeline/office.py` with the bot's workflow added to it, as a maintainer would."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.actions.runner import ROOT, Act
from tests.pipeline.conftest import history, office
from tests.pipeline.office import MAINTAINER, REPOSITORY, Office, git

__all__ = ["history", "office"]

PATCHES = Path(__file__).parents[1] / "pipeline" / "patches"
FORK = 13
"""The pull request that came from a fork; it is what #7 is in the office."""


@dataclass
class Project:
    """A repository on GitHub whose Actions run here."""

    office: Office
    act: Act

    def comment(self, body: str, *, on: int = 7, as_: str = MAINTAINER) -> dict[str, Any]:
        """Write a comment and return its event."""
        self.office.issue(on, as_=as_).create_comment(body)
        return self._last_event("issue_comment")

    def label(self, name: str, *, on: int, as_: str = MAINTAINER) -> dict[str, Any]:
        """Put a label on a pull request and return its event."""
        self.office.issue(on, as_=as_).add_to_labels(name)
        return self._last_event("pull_request")

    def _last_event(self, event: str) -> dict[str, Any]:
        self.office.fake_github.wait_for_deliveries()
        return [delivery.payload for delivery in self.office.fake_github.deliveries() if delivery.event == event][-1]


@pytest.fixture(scope="session")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Start the process that the bot's jobs are forked from; return the path of its socket."""
    path = tmp_path_factory.mktemp("bot") / "socket"
    command = [sys.executable, "-m", "tests.actions.warm_bot", "serve", str(path)]
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as server:
        while not path.exists() and server.poll() is None:
            time.sleep(0.05)
        yield path
        server.kill()


@pytest.fixture
def project(office: Office, bot: Path, tmp_path: Path) -> Project:
    """Return the project; its configuration and carried patches are on its default branch."""
    checkout = tmp_path / "checkout"
    git(tmp_path, "clone", "--quiet", str(office.git_dir), str(checkout))
    _write_settings(checkout)
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "Configure the bot")
    git(checkout, "push", "--quiet", "origin", "main")
    _add_fork(office)
    # Nobody listens: what GitHub would have sent is what Actions writes into the event file.
    office.fake_github.add_webhook(REPOSITORY, "http://127.0.0.1:9/", "s", ["issue_comment", "pull_request"])
    token = office.fake_github.add_user("github-actions[bot]", type="Bot")
    office.fake_github.grant(REPOSITORY, "github-actions[bot]", "write")
    act = Act(tmp_path / "actions", REPOSITORY, api_url=office.fake_github.api_url, token=token, bot=bot)
    return Project(office, act)


def _write_settings(checkout: Path) -> None:
    shutil.copytree(PATCHES / "widget-7", checkout / "backports/widget-7")
    shutil.copytree(PATCHES / "widget-7", checkout / f"backports/widget-{FORK}")
    patch = checkout / f"backports/widget-{FORK}/patch.yaml"
    patch.write_text(patch.read_text().replace("pull_request: 7", f"pull_request: {FORK}"))
    config = f"repository: {REPOSITORY}\npatches: [backports]\nprove: {{device: cpu}}\n"
    (checkout / "backport.yaml").write_text(config)


def _add_fork(office: Office) -> None:
    office.fake_github.add_user("fred")
    office.fake_github.create_repository("fred/widget", fork_of=REPOSITORY)
    office.fake_github.seed_pull_request(
        REPOSITORY,
        number=FORK,
        title="Size the ring by entry",
        author="fred",
        head="fred:ring",
        head_sha=git(office.git_dir, "rev-parse", "pull-7^{commit}"),
        merged_by=MAINTAINER,
        merge_commit_sha=git(office.git_dir, "rev-parse", "pull-7^{commit}"),
    )
