"""A dispatched workflow run waits until whoever holds the fake GitHub ends it, and leaves its artifacts."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from github.GithubException import GithubException
from github.Repository import Repository

from bot.fake_github import FakeGitHub
from tests.fake_github.conftest import NAME, People, commit_file

WORKFLOW = ".github/workflows/prove.yml"


@pytest.fixture
def with_workflow(fake_github: FakeGitHub, bot: Repository) -> Repository:
    """Put a workflow file on the default branch."""
    sha = commit_file(bot, "main", "Add a workflow", WORKFLOW, "on: workflow_dispatch\n")
    bot.get_git_ref("heads/main").edit(sha)
    return bot


def test_dispatched_run_is_ended_with_an_artifact(fake_github: FakeGitHub, with_workflow: Repository) -> None:
    workflow = with_workflow.get_workflow("prove.yml")
    assert workflow.create_dispatch("release/v1", {"candidate": "abc"})
    (run,) = workflow.get_runs()
    assert (run.status, run.event, run.head_branch) == ("queued", "workflow_dispatch", "release/v1")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("verdict.json", "{}")
    fake_github.finish_run(NAME, run.id, "success", {"verdict": archive.getvalue()})
    run_after = with_workflow.get_workflow_run(run.id)
    (artifact,) = run_after.get_artifacts()
    assert (run_after.status, run_after.conclusion, artifact.name) == ("completed", "success", "verdict")
    _, _, chunks = with_workflow.requester.getStream(artifact.archive_download_url, chunk_size=None)
    assert zipfile.ZipFile(io.BytesIO(b"".join(chunks))).namelist() == ["verdict.json"]


def test_unknown_workflow_and_branch_are_refused(with_workflow: Repository) -> None:
    with pytest.raises(GithubException) as error:
        with_workflow.get_workflow("other.yml")
    assert error.value.status == 404
    with pytest.raises(GithubException, match="No ref found"):
        with_workflow.get_workflow("prove.yml").create_dispatch("nope", throw=True)


def test_settings_and_runners_are_for_administrators_and_rules_for_everybody(
    fake_github: FakeGitHub, people: People
) -> None:
    admin, reader = people.repository("ada", "admin"), people.repository("rob", "read")
    fake_github.add_runner(NAME, ["self-hosted", "linux-mi300"])
    fake_github.add_branch_rule(NAME, "release/*", "required_signatures")

    def get(repository: Repository, path: str) -> tuple[int, Any]:
        status, _, text = repository.requester.requestJson("GET", f"{repository.url}{path}")
        return status, json.loads(text)

    settings = get(admin, "/actions/permissions/workflow")
    assert settings == (200, {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": False})
    fake_github.let_actions_open_pulls(NAME)
    assert get(admin, "/actions/permissions/workflow")[1]["can_approve_pull_request_reviews"] is True
    (runner,) = get(admin, "/actions/runners")[1]["runners"]
    assert [label["name"] for label in runner["labels"]] == ["self-hosted", "linux-mi300"]
    assert [get(reader, path)[0] for path in ("/actions/permissions/workflow", "/actions/runners")] == [403, 403]
    assert [rule["type"] for rule in get(reader, "/rules/branches/release%2F1.0")[1]] == ["required_signatures"]
    assert get(reader, "/rules/branches/main") == (200, [])
