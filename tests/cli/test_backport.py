"""`backport` on a person's own machine: the steps of a comment, with their token."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.environment.credentials import TOKEN
from bot.errors import ConfigError, NotAuthorized, PullRequestNotMerged
from bot.handlers.local_backport import LocalResults
from tests.pipeline.conftest import history, office
from tests.pipeline.landing import write
from tests.pipeline.office import MAINTAINER, REPOSITORY, Office, git

__all__ = ["history", "office"]

CONFIG = "prove: {device: cpu, required: false}\npick: {propose: false}\n"

Run = Callable[..., Result]


@pytest.fixture
def clone(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's clone, which the commands run in; the default branch has a configuration."""
    write(office, "main", {"backport.yaml": CONFIG}, "Configure", onto="main")
    git(tmp_path, "clone", "--quiet", str(office.git_dir), "clone")
    git(tmp_path / "clone", "config", "remote.origin.url", office.fake_github.clone_url(REPOSITORY))
    monkeypatch.chdir(tmp_path / "clone")
    monkeypatch.setenv("BACKPORT_BOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GITHUB_API_URL", office.fake_github.api_url)
    for name in ("GH_TOKEN", "GITHUB_TOKEN", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "clone"


@pytest.fixture
def run(office: Office, clone: Path) -> Run:
    def invoke(*arguments: object, login: str = MAINTAINER, name: str = TOKEN) -> Result:
        token = office.fake_github.add_token(login)
        return CliRunner().invoke(app, ["backport", *map(str, arguments)], env={name: token})

    return invoke


def pulls(office: Office) -> dict[str, str]:
    """Return the backport pull requests: base branch → author."""
    listed = office.people[MAINTAINER].get_repo(REPOSITORY).get_pulls(state="all")
    return {pull.base.ref: pull.user.login for pull in listed if pull.head.ref.startswith("backport/")}


def test_it_opens_what_a_comment_would_and_prints_the_link(office: Office, run: Run) -> None:
    result = run("--pr", 9, "release/1.2", "release/1.0")
    assert result.exit_code == 0, result.output
    assert pulls(office) == {"release/1.2": MAINTAINER, "release/1.0": MAINTAINER}
    assert f"{office.fake_github.url}/{REPOSITORY}/pull/12" in result.stdout
    assert "release/1.2: opened" in result.stderr
    assert "Configuration: backport.yaml on `main`" in result.stderr
    assert office.people[MAINTAINER].get_repo(REPOSITORY).get_issue(9).comments == 0
    again = run("--pr", 9, "release/1.2", "--json")
    assert [(entry["status"], entry["created"]) for entry in json.loads(again.stdout)] == [("opened", False)]


def test_a_dry_run_opens_nothing_and_globs_are_those_of_a_comment(office: Office, run: Run) -> None:
    before = office.branches()
    result = run("--pr", 9, "release/*", "--dry-run", "--json", name="GH_TOKEN")
    assert result.exit_code == 0, result.output
    outcomes = {entry["branch"]: entry["status"] for entry in json.loads(result.stdout)}
    assert outcomes == dict.fromkeys(("release/1.2", "release/1.1", "release/1.0"), "would-open")
    assert (office.branches(), pulls(office)) == (before, {})


def test_the_permission_that_counts_is_that_of_the_tokens_account(office: Office, run: Run) -> None:
    result = run("--pr", 9, "release/1.2", login="otto")
    assert isinstance(result.exception, NotAuthorized)
    assert pulls(office) == {}
    office.fake_github.grant(REPOSITORY, "otto", "write")
    assert isinstance(run("--pr", 9, "release/1.2", "--no-prove", login="otto").exception, NotAuthorized)


def test_what_is_missing_or_wrong_is_an_error_that_loses_nothing(office: Office, run: Run, clone: Path) -> None:
    assert isinstance(run("--pr", 11, "release/1.2").exception, PullRequestNotMerged)
    assert run("--pr", 9).exit_code == 2, "there is no terminal to ask at"
    result = run("--pr", 9, "release/1.2", "release/9.9")
    assert result.exit_code == 1
    assert "release/9.9: failed" in result.stderr
    assert pulls(office) == {"release/1.2": MAINTAINER}
    error = CliRunner().invoke(app, ["backport", "--pr", "9", "release/1.2"]).exception
    assert isinstance(error, ConfigError)
    assert "gh auth token" in error.hint


def test_an_interruption_tells_what_is_open_and_a_second_run_goes_on(
    office: Office, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = LocalResults.end

    def interrupt(self: LocalResults, result: object) -> None:
        end(self, result)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LocalResults, "end", interrupt)
        result = run("--pr", 9, "release/1.2", "release/1.1")
    assert result.exit_code == 130
    assert pulls(office) == {"release/1.2": MAINTAINER}
    assert "pull/12" in result.stdout
    assert "Stopped. What is open stays open" in result.stderr
    assert run("--pr", 9, "release/1.2", "release/1.1").exit_code == 0
    assert pulls(office) == {"release/1.2": MAINTAINER, "release/1.1": MAINTAINER}


def test_at_a_terminal_the_pull_request_and_the_branches_are_chosen(office: Office, clone: Path) -> None:
    """Ann is asked by a real process at a real terminal, and answers by keys."""
    office.fake_github.grant(REPOSITORY, "ann", "write")
    environment = {**os.environ, TOKEN: office.fake_github.add_token("ann"), "TERM": "xterm", "COLUMNS": "120"}
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "bot", "backport", "--dry-run", "--json"]
    process = subprocess.Popen(command, stdin=follower, stderr=follower, stdout=subprocess.PIPE, env=environment)
    os.close(follower)
    try:
        _read_until(leader, "Which pull request?")
        os.write(leader, b"hello")  # the search finds #9, whose title it is in
        _read_until(leader, "hello")
        os.write(leader, b"\r")
        _read_until(leader, "Which branches?")
        os.write(leader, b" ")
        os.write(leader, b"\x1b[B \r")
        output, _ = process.communicate(timeout=300)
    finally:
        process.kill()
        process.wait()
        os.close(leader)
    assert [(entry["branch"], entry["status"]) for entry in json.loads(output)] == [
        ("release/1.2", "would-open"),
        ("release/1.1", "would-open"),
    ]


def _read_until(terminal: int, text: str) -> str:
    seen = ""
    while text not in seen:
        seen += os.read(terminal, 4096).decode(errors="replace")
    return seen
