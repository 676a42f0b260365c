"""GitHub Actions: dispatches, runs and artifacts. Nothing is run: the holder of the fake GitHub ends a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from bot.fake_github.accounts import Level, now
from bot.fake_github.api import ApiError, ApiRequest, ApiResponse, Routes, not_found
from bot.fake_github.repository_records import Repository, WorkflowRun
from bot.fake_github.serializers.actions import artifact_json, run_json, runner_json, workflow_json

routes = Routes()
ACTIONS = "/repos/{owner}/{repo}/actions"
WORKFLOW = f"{ACTIONS}/workflows/{{workflow}}"
RUN = f"{ACTIONS}/runs/{{run:int}}"
_FOLDER = ".github/workflows"
_INPUT = re.compile(r"\$\{\{\s*inputs\.([A-Za-z0-9_-]+)\s*\}\}")


def _workflow_of(request: ApiRequest) -> str:
    """Find a workflow file of the default branch by the workflow's number or by its file name."""
    name, repository = request.params["workflow"], request.repository
    tip = repository.git.branch(repository.default_branch)
    paths = repository.git.text("ls-tree", "--name-only", tip, f"{_FOLDER}/").splitlines() if tip else []
    for path in paths:
        number = str(workflow_json(request.world, repository, path)["id"])
        if name in {path.rpartition("/")[2], number} and path.endswith((".yml", ".yaml")):
            return path
    raise not_found()


@routes.add("GET", f"{ACTIONS}/permissions/workflow", Level.ADMIN)
def get_workflow_permissions(request: ApiRequest) -> ApiResponse:
    """Answer what the token of a workflow run may do if the workflow does not say it."""
    may_open = request.repository.actions_open_pulls
    return ApiResponse({"default_workflow_permissions": "read", "can_approve_pull_request_reviews": may_open})


@routes.add("GET", f"{ACTIONS}/runners", Level.ADMIN)
def list_runners(request: ApiRequest) -> ApiResponse:
    """Answer the repository's own runners."""
    return request.page(request.repository.runners, runner_json, "runners")


@routes.add("GET", WORKFLOW, Level.READ)
def get_workflow(request: ApiRequest) -> ApiResponse:
    """Answer one workflow."""
    return ApiResponse(workflow_json(request.world, request.repository, _workflow_of(request)))


@routes.add("POST", f"{WORKFLOW}/dispatches", Level.WRITE)
def dispatch(request: ApiRequest) -> ApiResponse:
    """Queue a run."""
    repository, path, ref = request.repository, _workflow_of(request), request.text("ref", "Workflow")
    branch, inputs, time = ref.removeprefix("refs/heads/"), dict(request.body.get("inputs") or {}), now()
    sha = repository.git.branch(branch)
    if sha is None:
        raise ApiError(422, f"No ref found for: {ref}")
    run = WorkflowRun(
        id=request.world.next_id(),
        number=len(repository.runs) + 1,
        path=path,
        name=_stem(path),
        title=_title(repository, sha, path, inputs),
        event="workflow_dispatch",
        actor=request.user,
        head_branch=branch,
        head_sha=sha,
        created_at=time,
        updated_at=time,
        inputs=inputs,
    )
    repository.runs[run.id] = run
    return ApiResponse(status=204)


def _title(repository: Repository, sha: str, path: str, inputs: Mapping[str, Any]) -> str:
    """Make a run's title by its workflow's `run-name`, in which only inputs are known; without one, by its file."""
    try:
        workflow = yaml.safe_load(repository.git.read(sha, path) or b"")
    except yaml.YAMLError as error:
        raise ApiError(422, f"Invalid workflow file: {path}") from error
    name = workflow.get("run-name") if isinstance(workflow, dict) else None
    if not isinstance(name, str):
        return _stem(path)
    return _INPUT.sub(lambda expression: str(inputs.get(expression[1], "")), name)


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0]


def _run_of(request: ApiRequest) -> WorkflowRun:
    run = request.repository.runs.get(request.number("run"))
    if run is None:
        raise not_found()
    return run


@routes.add("GET", f"{WORKFLOW}/runs", Level.READ)
def list_runs(request: ApiRequest) -> ApiResponse:
    """Answer the runs of a workflow, newest first."""
    path, repository = _workflow_of(request), request.repository
    runs = [run for run in reversed(repository.runs.values()) if run.path == path]
    return request.page(runs, lambda run: run_json(request.world, repository, run), "workflow_runs")


@routes.add("GET", RUN, Level.READ)
def get_run(request: ApiRequest) -> ApiResponse:
    """Answer one run."""
    return ApiResponse(run_json(request.world, request.repository, _run_of(request)))


@routes.add("POST", f"{RUN}/cancel", Level.WRITE)
def cancel_run(request: ApiRequest) -> ApiResponse:
    """Cancel a run that has not ended."""
    run = _run_of(request)
    if run.status == "completed":
        raise ApiError(409, "Cannot cancel a workflow run that is completed.")
    run.status, run.conclusion, run.updated_at = "completed", "cancelled", now()
    return ApiResponse({}, 202)


@routes.add("GET", f"{RUN}/artifacts", Level.READ)
def list_artifacts(request: ApiRequest) -> ApiResponse:
    """Answer what a run left."""
    artifacts, repository = _run_of(request).artifacts.values(), request.repository
    return request.page(artifacts, lambda artifact: artifact_json(request.world, repository, artifact), "artifacts")


@routes.add("GET", f"{ACTIONS}/artifacts/{{artifact:int}}/zip", Level.READ)
def download_artifact(request: ApiRequest) -> ApiResponse:
    """Redirect people with a token, as on GitHub, to an address that needs none and that nobody can guess."""
    if request.token is None:
        raise ApiError(401, "Requires authentication")
    number = request.number("artifact")
    artifacts = [run.artifacts[number] for run in request.repository.runs.values() if number in run.artifacts]
    if not artifacts:
        raise not_found()
    location = f"{request.world.url}/api/artifact/{artifacts[0].signature}.zip"
    return ApiResponse(status=302, headers={"Location": location})
