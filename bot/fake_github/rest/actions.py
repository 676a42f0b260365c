"""Actions: workflows, dispatches, runs and artifacts. Nothing is run here: whoever holds the fake GitHub ends a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from bot.fake_github.accounts import Level, now
from bot.fake_github.api import Call, Refusal, Reply, Routes, not_found
from bot.fake_github.events import dispatch_event, workflow_run_event
from bot.fake_github.serializers.actions import artifact_json, run_json, workflow_json
from bot.fake_github.state import Artifact, Repository, WorkflowRun

routes = Routes()
ACTIONS = "/repos/{owner}/{repo}/actions"
_FOLDER = ".github/workflows"
_INPUT = re.compile(r"\$\{\{\s*inputs\.([A-Za-z0-9_-]+)\s*\}\}")


def _workflows(repository: Repository) -> list[str]:
    tip = repository.git.branch(repository.default_branch)
    if tip is None:
        return []
    names = repository.git.text("ls-tree", "--name-only", tip, f"{_FOLDER}/").splitlines()
    return [name for name in names if name.endswith((".yml", ".yaml"))]


def _workflow_of(call: Call) -> str:
    """Find a workflow by number or by file name."""
    asked = call.params["workflow"]
    for path in _workflows(call.repository):
        if asked in {path.rpartition("/")[2], str(workflow_json(call.world, call.repository, path)["id"])}:
            return path
    raise not_found()


@routes.add("GET", f"{ACTIONS}/workflows", Level.READ)
def list_workflows(call: Call) -> Reply:
    """Answer the workflow files of the default branch."""
    paths = _workflows(call.repository)
    return call.page(paths, lambda path: workflow_json(call.world, call.repository, path), "workflows")


@routes.add("GET", f"{ACTIONS}/workflows/{{workflow}}", Level.READ)
def get_workflow(call: Call) -> Reply:
    """Answer one workflow."""
    return Reply(workflow_json(call.world, call.repository, _workflow_of(call)))


@routes.add("POST", f"{ACTIONS}/workflows/{{workflow}}/dispatches", Level.WRITE)
def dispatch(call: Call) -> Reply:
    """Ask for a run; it waits in the queue."""
    repository, path, ref = call.repository, _workflow_of(call), call.text("ref", "Workflow")
    name = ref.removeprefix("refs/heads/")
    sha = repository.git.branch(name)
    if sha is None:
        raise Refusal(422, f"No ref found for: {ref}")
    workflow_json(call.world, repository, path)
    made = now()
    run = WorkflowRun(
        id=call.world.next_id(),
        number=len(repository.runs) + 1,
        path=path,
        name=path.rpartition("/")[2].partition(".")[0],
        title=_title(repository, sha, path, call.body.get("inputs") or {}),
        event="workflow_dispatch",
        actor=call.user,
        head_branch=name,
        head_sha=sha,
        created_at=made,
        updated_at=made,
        inputs=dict(call.body.get("inputs") or {}),
    )
    repository.runs[run.id] = run
    workflow_run_event(call.world, repository, run, "requested", call.user)
    payload = {"inputs": run.inputs, "ref": f"refs/heads/{name}", "workflow": path}
    dispatch_event(call.world, repository, "workflow_dispatch", payload, call.user)
    return Reply(status=204)


def _title(repository: Repository, sha: str, path: str, inputs: Mapping[str, Any]) -> str:
    """Make a run's title by its workflow's `run-name`, in which only inputs are known; without one, by its file."""
    try:
        written = yaml.safe_load(repository.git.read(sha, path) or b"")
    except yaml.YAMLError as error:
        raise Refusal(422, f"Invalid workflow file: {path}") from error
    name = written.get("run-name") if isinstance(written, dict) else None
    if not isinstance(name, str):
        return path.rpartition("/")[2].partition(".")[0]
    return _INPUT.sub(lambda found: str(inputs.get(found[1], "")), name)


@routes.add("POST", "/repos/{owner}/{repo}/dispatches", Level.WRITE)
def repository_dispatch(call: Call) -> Reply:
    """Send a `repository_dispatch` event of the caller's making."""
    payload = {
        "action": call.text("event_type", "Dispatch"),
        "branch": call.repository.default_branch,
        "client_payload": call.body.get("client_payload") or {},
    }
    dispatch_event(call.world, call.repository, "repository_dispatch", payload, call.user)
    return Reply(status=204)


def _run_of(call: Call) -> WorkflowRun:
    run = call.repository.runs.get(call.number("run"))
    if run is None:
        raise not_found()
    return run


@routes.add("GET", f"{ACTIONS}/runs", Level.READ)
@routes.add("GET", f"{ACTIONS}/workflows/{{workflow}}/runs", Level.READ)
def list_runs(call: Call) -> Reply:
    """Answer the runs, newest first."""
    path = _workflow_of(call) if "workflow" in call.params else None
    query = call.query
    shown = [
        run
        for run in reversed(call.repository.runs.values())
        if path in {None, run.path}
        and query.get("event") in {None, run.event}
        and query.get("branch") in {None, run.head_branch}
        and query.get("status") in {None, run.status, run.conclusion}
    ]
    return call.page(shown, lambda run: run_json(call.world, call.repository, run), "workflow_runs")


@routes.add("GET", f"{ACTIONS}/runs/{{run:int}}", Level.READ)
def get_run(call: Call) -> Reply:
    """Answer one run."""
    return Reply(run_json(call.world, call.repository, _run_of(call)))


@routes.add("POST", f"{ACTIONS}/runs/{{run:int}}/cancel", Level.WRITE)
def cancel_run(call: Call) -> Reply:
    """Cancel a run that has not ended."""
    run = _run_of(call)
    if run.status == "completed":
        raise Refusal(409, "Cannot cancel a workflow run that is completed.")
    run.status, run.conclusion, run.updated_at = "completed", "cancelled", now()
    return Reply({}, 202)


@routes.add("GET", f"{ACTIONS}/runs/{{run:int}}/artifacts", Level.READ)
def list_artifacts(call: Call) -> Reply:
    """Answer what a run left."""
    artifacts = _run_of(call).artifacts.values()
    return call.page(artifacts, lambda one: artifact_json(call.world, call.repository, one), "artifacts")


def _artifact_of(call: Call) -> Artifact:
    for run in call.repository.runs.values():
        if call.number("artifact") in run.artifacts:
            return run.artifacts[call.number("artifact")]
    raise not_found()


@routes.add("GET", f"{ACTIONS}/artifacts/{{artifact:int}}", Level.READ)
def get_artifact(call: Call) -> Reply:
    """Answer one artifact."""
    return Reply(artifact_json(call.world, call.repository, _artifact_of(call)))


@routes.add("GET", f"{ACTIONS}/artifacts/{{artifact:int}}/zip", Level.READ)
def download_artifact(call: Call) -> Reply:
    """Lead people with a token, as on GitHub, to an address that needs none and that nobody can guess."""
    _ = call.user
    artifact = _artifact_of(call)
    return Reply(status=302, headers={"Location": f"{call.world.url}/api/artifact/{artifact.signature}.zip"})
