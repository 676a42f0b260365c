"""`backport-bot doctor` beside a fake GitHub: what it says of a repository that is ready, and of what is not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from typer.testing import CliRunner

from bot.adoption.app_manifest import app_manifest
from bot.adoption.rights import EVENTS, app_permissions
from bot.adoption.workflow_file import PATH, PATH_BESIDE, render_workflow
from bot.cli import app
from bot.environment import credentials
from bot.environment.loopback import run_server
from bot.fake_github import FakeGitHub
from tests.pipeline.office import commit, git

NAME = "acme/widget"


@dataclass
class Project:
    """A repository on GitHub, a checkout of it, and what the doctor says there."""

    fake_github: FakeGitHub
    checkout: Path
    monkeypatch: pytest.MonkeyPatch
    exit_code: int = 0

    def push(self, files: dict[str, str]) -> None:
        commit(self.checkout, "Change the settings", files)
        git(self.checkout, "push", "--quiet", str(self.git_dir), "main")

    @property
    def git_dir(self) -> Path:
        return self.fake_github.world.repositories[NAME].git.directory

    def examine(self, **variables: str) -> dict[str, list[dict[str, str]]]:
        """Run the command with these variables, and return what it says by subject."""
        for name in (*credentials.SECRETS, "GITHUB_REPOSITORY"):
            self.monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)
        self.monkeypatch.chdir(self.checkout)
        before = len(self.fake_github.requests())
        words = ["doctor", "--json", "--api-url", self.fake_github.api_url]
        ran = CliRunner().invoke(app, words, catch_exceptions=False)
        for request in self.fake_github.requests()[before:]:
            # git asks for branches by POST, and an App for its token; neither changes the repository.
            assert request.method == "GET" or request.path.endswith(("/git-upload-pack", "/access_tokens")), request
        self.exit_code = ran.exit_code
        said: dict[str, list[dict[str, str]]] = {}
        for line in json.loads(ran.stdout):
            assert line["health"] == "good" or (line["fact"] and line["consequence"] and line["remedy"]), line
            said.setdefault(line["subject"], []).append(line)
        return said

    def as_(self, level: str, **options: bool) -> str:
        """Return a token of an account with this access."""
        login = f"bot-{level}"
        self.fake_github.add_user(login)
        self.fake_github.grant(NAME, login, level)
        return self.fake_github.add_token(login, **options)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """Return a repository with two release branches and the workflow file, and a checkout of it."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    git(checkout, "init", "--quiet", "--initial-branch=main")
    commit(checkout, "Begin", {PATH: render_workflow()})
    for branch in ("release/1.0", "release/1.1"):
        git(checkout, "branch", branch)
    git(checkout, "remote", "add", "origin", f"https://github.com/{NAME}.git")
    with FakeGitHub.start(tmp_path / "github") as fake_github:
        git(tmp_path, "clone", "--quiet", "--mirror", str(checkout), str(tmp_path / "widget.git"))
        fake_github.create_repository(NAME, tmp_path / "widget.git")
        yield Project(fake_github, checkout, monkeypatch)


def health(said: dict[str, list[dict[str, str]]]) -> dict[str, set[str]]:
    return {subject: {line["health"] for line in lines} for subject, lines in said.items()}


def test_a_repository_that_is_ready_is_told_so(project: Project) -> None:
    project.fake_github.let_actions_open_pulls(NAME)
    said = project.examine(BACKPORT_BOT_TOKEN=project.as_("admin"))
    subjects = ("git", "Python", "repository", "account", "git access", "branches", "configuration", "rules")
    assert {subject: health(said)[subject] for subject in subjects} == {subject: {"good"} for subject in subjects}
    assert {subject: health(said)[subject] for subject in ("workflow", "Actions settings", "push")} == {
        subject: {"good"} for subject in ("workflow", "Actions settings", "push")
    }
    assert "2 branches" in said["branches"][0]["fact"]
    assert "repo, workflow" in said["rights"][0]["fact"]


def test_without_an_account_the_public_s_view_is_told(project: Project) -> None:
    said = project.examine()
    assert said["account"][0]["health"] == "note"
    assert said["Actions settings"][0]["health"] == "unknown"
    assert health(said)["branches"] == {"good"}


def test_a_fine_grained_token_does_not_tell_its_rights(project: Project) -> None:
    said = project.examine(BACKPORT_BOT_TOKEN=project.as_("write", fine_grained=True))
    assert said["rights"][0]["health"] == "unknown"
    assert "docs/reference.md" in said["rights"][0]["remedy"]


def test_a_token_without_write_access_or_a_scope_is_named(project: Project) -> None:
    said = project.examine(BACKPORT_BOT_TOKEN=project.as_("read", workflows=False))
    assert said["push"][0]["health"] == "bad"
    assert any("`workflow`" in line["fact"] for line in said["rights"])
    assert project.exit_code == 1


def test_a_token_that_github_refuses_is_named(project: Project) -> None:
    said = project.examine(BACKPORT_BOT_TOKEN="ghp_" + "0" * 36)
    assert project.exit_code == 1
    assert "does not accept" in said["account"][0]["fact"]


def test_a_repository_that_cannot_be_seen_ends_the_questions(project: Project) -> None:
    project.fake_github.world.repositories[NAME].private = True
    said = project.examine()
    assert said["repository"][0]["health"] == "bad"
    assert "branches" not in said


@pytest.mark.parametrize(
    ("files", "subject", "words"),
    [
        ({"backport.yaml": "branchs: [a]\n"}, "configuration", "is not a key"),
        ({"backport.yaml": "repository: other/name\n"}, "configuration", "this is acme/widget"),
        ({PATH: render_workflow().replace("contents: write", "contents: read")}, "workflow", "`contents: write`"),
    ],
)
def test_what_the_default_branch_has_wrong_is_bad(
    project: Project, files: dict[str, str], subject: str, words: str
) -> None:
    project.push(files)
    said = project.examine()
    assert any(line["health"] == "bad" and words in line["fact"] for line in said[subject]), said[subject]
    assert project.exit_code == 1


@pytest.mark.parametrize(
    ("files", "subject", "words"),
    [
        ({"backport.yaml": 'branches: ["stable-*"]\n'}, "branches", "matches no branch"),
        ({PATH: "on: push\njobs: {}\n"}, "workflow", "has no"),
        ({PATH: render_workflow().replace("@v1", "@v0")}, "workflow", "at v0"),
    ],
)
def test_what_may_be_meant_is_a_note(project: Project, files: dict[str, str], subject: str, words: str) -> None:
    project.push(files)
    said = project.examine()
    assert any(line["health"] == "note" and words in line["fact"] for line in said[subject]), said[subject]


def test_a_workflow_file_beside_that_of_another_tool_is_read(project: Project) -> None:
    project.push({PATH: "on: push\njobs: {}\n", PATH_BESIDE: render_workflow()})
    (line, *_) = project.examine()["workflow"]
    assert (line["health"], PATH_BESIDE in line["fact"]) == ("good", True)


def test_a_configuration_that_is_not_merged_yet_is_noticed(project: Project) -> None:
    (project.checkout / "backport.yaml").write_text("max_targets: 3\n")
    said = project.examine()
    assert {line["health"] for line in said["configuration"]} == {"good", "note"}
    project.push({})
    assert health(project.examine())["configuration"] == {"good"}


def test_rules_that_stop_a_backport_branch_are_named(project: Project) -> None:
    project.fake_github.add_branch_rule(NAME, "release/*", "update")
    assert health(project.examine())["rules"] == {"good"}
    project.fake_github.add_branch_rule(NAME, "*", "required_signatures")
    (line,) = project.examine()["rules"]
    assert (line["health"], "must be signed" in line["fact"]) == ("note", True)


def test_a_runner_with_the_labels_is_looked_for(project: Project) -> None:
    project.push({"backport.yaml": "prove: {runner: github-actions, actions: {labels: [linux-mi300]}}\n"})
    token = project.as_("admin")
    said = project.examine(BACKPORT_BOT_TOKEN=token)
    assert said["runners"][0]["health"] == "note"
    assert said["proof workflow"][0]["health"] == "note"
    assert said["proofs"][0]["health"] == "good"
    project.fake_github.add_runner(NAME, ["self-hosted", "linux-mi300"])
    assert project.examine(BACKPORT_BOT_TOKEN=token)["runners"][0]["health"] == "good"
    assert project.examine()["runners"][0]["health"] == "unknown"


def test_actions_that_may_open_no_pull_request_are_named(project: Project) -> None:
    (line,) = project.examine(BACKPORT_BOT_TOKEN=project.as_("admin"))["Actions settings"]
    assert (line["health"], "may not create" in line["fact"]) == ("note", True)


def _app(project: Project, manifest: dict[str, Any], url: str = "https://bot.example/webhook") -> dict[str, str]:
    """Register an App from its manifest, install it, and return the variables that make the bot it."""
    app, key = project.fake_github.add_app("porter", [], manifest["default_permissions"])
    app.events, app.webhook_url, app.webhook_secret = manifest["default_events"], url, "s"
    project.fake_github.install_app("porter", [NAME])
    return {"BACKPORT_BOT_APP_ID": str(app.id), "BACKPORT_BOT_PRIVATE_KEY": key}


def test_an_app_tells_what_it_may_do_and_where_its_events_go(project: Project) -> None:
    manifest = app_manifest("porter", webhook_url="https://bot.example/webhook")
    said = project.examine(**_app(project, manifest))
    assert "GitHub App porter" in said["account"][0]["fact"]
    assert said["rights"][0]["health"] == "good"
    assert {line["health"] for line in said["rights"][1:]} == {"note"}
    assert said["webhook"][0] == {
        "subject": "webhook",
        "health": "good",
        "fact": "Events go to https://bot.example/webhook.",
        "consequence": "",
        "remedy": "",
    }


@pytest.mark.parametrize("name", [name for name in app_permissions() if name != "metadata"])
def test_each_right_that_an_app_lacks_is_named(project: Project, name: str) -> None:
    manifest = app_manifest("porter", webhook_url="https://bot.example/webhook")
    manifest["default_permissions"][name] = "read"
    said = project.examine(**_app(project, manifest))
    assert said["rights"][0]["health"] == "bad"
    assert project.exit_code == 1


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_that_an_app_does_not_get_is_named(project: Project, event: str) -> None:
    manifest = app_manifest("porter", webhook_url="https://bot.example/webhook")
    manifest["default_events"] = [other for other in EVENTS if other != event]
    said = project.examine(**_app(project, manifest))
    assert (said["webhook"][0]["health"], event in said["webhook"][0]["fact"]) == ("bad", True)


def _comment(project: Project) -> None:
    """Write a comment on a pull request, of which the webhooks hear."""
    number = project.fake_github.seed_issue(NAME, title="A fault", author="ann")
    url = f"{project.fake_github.api_url}/repos/{NAME}/issues/{number}/comments"
    token = project.fake_github.add_user("ann")
    requests.post(url, json={"body": "Hello"}, headers={"Authorization": f"Bearer {token}"}, timeout=60)
    project.fake_github.wait_for_deliveries()


@pytest.mark.parametrize(("path", "state"), [("/", "good"), ("/nowhere", "bad")], ids=["answered", "refused"])
def test_how_the_service_answered_the_last_delivery_is_told(project: Project, path: str, state: str) -> None:
    with run_server(Starlette(routes=[Route("/", lambda _: Response(), methods=["POST"])])) as service:
        manifest = app_manifest("porter", webhook_url=service + path)
        variables = _app(project, manifest, service + path)
        _comment(project)
        assert project.examine(**variables)["delivery"][0]["health"] == state


def test_a_webhook_of_the_repository_is_seen_by_its_administrators(project: Project) -> None:
    with run_server(Starlette(routes=[Route("/", lambda _: Response(), methods=["POST"])])) as service:
        project.fake_github.add_webhook(NAME, f"{service}/", "", ["issue_comment"])
        project.fake_github.add_webhook(NAME, "http://127.0.0.1:9/", "s", ["push"])
        _comment(project)
        said = project.examine(BACKPORT_BOT_TOKEN=project.as_("admin"))
        assert [line["health"] for line in said["webhook"]] == ["bad", "bad"]
        assert "does not send pull_request" in said["webhook"][0]["fact"]
        assert "has no secret" in said["webhook"][1]["fact"]
        assert said["delivery"][0]["health"] == "good"
        assert "webhook" not in project.examine()


def test_the_terminal_has_a_line_for_each_and_a_total(project: Project) -> None:
    project.monkeypatch.chdir(project.checkout)
    ran = CliRunner().invoke(app, ["doctor", "--api-url", project.fake_github.api_url], env={"GITHUB_REPOSITORY": NAME})
    lines = ran.output.splitlines()
    assert any(line.startswith("ok   git: ") for line in lines)
    marked = [re.match(r"(ok|note|BAD|\?) +[\w ]+: .", line) for line in lines[:-1] if not line.startswith("     ")]
    assert all(marked)
    number = sum(match[1] == "BAD" for match in marked if match)
    assert lines[-1] == (
        f"{number} of {len(marked)} conditions are not met." if number else "Nothing stands in the way."
    )


def test_a_server_that_does_not_answer_is_one_diagnosis(project: Project) -> None:
    project.fake_github.stop()
    project.monkeypatch.chdir(project.checkout)
    ran = CliRunner().invoke(app, ["doctor", "--json", "--api-url", project.fake_github.api_url])
    assert ran.exit_code == 1
    said = {line["subject"]: line["health"] for line in json.loads(ran.stdout)}
    assert said == {"git": "good", "Python": "good", "GitHub": "bad"}
