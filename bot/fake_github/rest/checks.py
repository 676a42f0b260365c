"""Check runs of a commit."""

from __future__ import annotations

from bot.fake_github.accounts import Level, now
from bot.fake_github.api import ApiError, ApiRequest, ApiResponse, Routes, invalid, not_found
from bot.fake_github.merging import merge_as_ordered
from bot.fake_github.pull_requests import latest_runs
from bot.fake_github.repository_records import CheckRun
from bot.fake_github.rest.commits import REPO, commit_of
from bot.fake_github.serializers.checks import check_run_json

routes = Routes()
_STATUSES = {"queued", "in_progress", "completed", "waiting", "requested", "pending"}
_CONCLUSIONS = {"success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required"}


def _need_app(request: ApiRequest) -> None:
    """Refuse people: check runs are written by Apps only. A bot account counts as one, as Actions' own token does."""
    if request.user.app is None and request.user.type != "Bot":
        raise ApiError(403, "You must authenticate via a GitHub App.")


@routes.add("POST", f"{REPO}/check-runs", Level.WRITE)
def create_check_run(request: ApiRequest) -> ApiResponse:
    """Create a check run on a commit that the repository has."""
    _need_app(request)
    name, sha = request.text("name", "CheckRun"), request.text("head_sha", "CheckRun")
    if request.repository.git.kind(sha) != "commit":
        raise ApiError(422, f"No commit found for SHA: {sha}")
    runs = request.repository.check_runs
    suites = (run.suite_id for run in runs.values() if run.creator is request.user and run.head_sha == sha)
    run = CheckRun(
        id=request.world.next_id(),
        name=name,
        head_sha=sha,
        creator=request.user,
        suite_id=next(suites, None) or request.world.next_id(),
        started_at=now(),
    )
    _update(run, request)
    runs[run.id] = run
    return _respond(request, run, 201)


@routes.add("PATCH", f"{REPO}/check-runs/{{run:int}}", Level.WRITE)
def update_check_run(request: ApiRequest) -> ApiResponse:
    """Change a check run; only the App that made it may."""
    _need_app(request)
    run = request.repository.check_runs.get(request.number("run"))
    if run is None:
        raise not_found()
    if run.creator is not request.user:
        reason = "check run can only be modified by the GitHub App that created it."
        raise ApiError(403, f"Invalid app_id `{request.user.id}` - {reason}")
    _update(run, request)
    return _respond(request, run, 200)


def _update(run: CheckRun, request: ApiRequest) -> None:
    body = request.body
    conclusion = body.get("conclusion", run.conclusion)
    if conclusion is not None and conclusion not in _CONCLUSIONS:
        raise invalid("CheckRun", "conclusion")
    status = "completed" if body.get("conclusion") else body.get("status", run.status)
    if status not in _STATUSES:
        raise invalid("CheckRun", "status")
    if status == "completed" and conclusion is None:
        raise invalid("CheckRun", "conclusion", "missing_field")
    output = run.output | (body.get("output") or {})
    if output and not (output.get("title") and "summary" in output):
        raise invalid("CheckRun", "output", "missing_field")
    run.name, run.status, run.conclusion, run.output = body.get("name", run.name), status, conclusion, output
    run.external_id = body.get("external_id", run.external_id)
    run.completed_at = (run.completed_at or now()) if status == "completed" else None


def _respond(request: ApiRequest, run: CheckRun, status: int) -> ApiResponse:
    """Answer the run as it is now; a completed one may let a pull request merge."""
    response = ApiResponse(check_run_json(request.world, request.repository, run), status)
    if run.status == "completed":
        merge_as_ordered(request.world, request.repository, run.head_sha)
    return response


@routes.add("GET", f"{REPO}/commits/{{sha:path}}/check-runs", Level.READ)
def list_check_runs(request: ApiRequest) -> ApiResponse:
    """Answer a commit's check runs, newest of each name; `filter=all` answers every one."""
    repository, sha = request.repository, commit_of(request)
    runs = latest_runs(repository, sha)
    if request.query.get("filter") == "all":
        runs = [run for run in repository.check_runs.values() if run.head_sha == sha]
    runs = [run for run in runs if request.query.get("check_name") in {None, run.name}]
    return request.page(runs, lambda run: check_run_json(request.world, repository, run), "check_runs")
