"""Check runs, and the combined status that older clients ask for."""

from __future__ import annotations

from datetime import datetime

from bot.fake_github.accounts import Level, now
from bot.fake_github.api import Call, Refusal, Reply, Routes, invalid, not_found
from bot.fake_github.events import check_run_event
from bot.fake_github.merging import carry_out_orders
from bot.fake_github.pull_requests import latest_runs
from bot.fake_github.rest.commits import REPO, commit_of
from bot.fake_github.serializers.checks import check_run_json
from bot.fake_github.serializers.repositories import api_url, repository_json
from bot.fake_github.state import CheckRun

routes = Routes()
_STATUSES = {"queued", "in_progress", "completed", "waiting", "requested", "pending"}
_CONCLUSIONS = {"success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required"}


def _need_app(call: Call) -> None:
    """Refuse people: check runs are written by Apps only. A bot account counts as one, as Actions' own token does."""
    if call.user.app is None and call.user.type != "Bot":
        raise Refusal(403, "You must authenticate via a GitHub App.")


def _run_of(call: Call) -> CheckRun:
    run = call.repository.check_runs.get(call.number("run"))
    if run is None:
        raise not_found()
    return run


@routes.add("POST", f"{REPO}/check-runs", Level.WRITE)
def create_check_run(call: Call) -> Reply:
    """Create a check run on a commit that is there."""
    _need_app(call)
    name, sha = call.text("name", "CheckRun"), call.text("head_sha", "CheckRun")
    if call.repository.git.kind(sha) != "commit":
        raise Refusal(422, f"No commit found for SHA: {sha}")
    runs = call.repository.check_runs
    known = (one.suite_id for one in runs.values() if one.creator is call.user and one.head_sha == sha)
    run = CheckRun(
        id=call.world.next_id(),
        name=name,
        head_sha=sha,
        creator=call.user,
        suite_id=next(known, None) or call.world.next_id(),
        started_at=now(),
    )
    _take_over(call, run)
    runs[run.id] = run
    return _told(call, run, "created", 201)


@routes.add("PATCH", f"{REPO}/check-runs/{{run:int}}", Level.WRITE)
def update_check_run(call: Call) -> Reply:
    """Change a check run; only the App that made it may."""
    _need_app(call)
    run = _run_of(call)
    if run.creator is not call.user:
        raise Refusal(
            403, f"Invalid app_id `{call.user.id}` - check run can only be modified by the GitHub App that created it."
        )
    _take_over(call, run)
    return _told(call, run, "created", 200)


def _take_over(call: Call, run: CheckRun) -> None:
    body = call.body
    conclusion = body.get("conclusion", run.conclusion)
    if conclusion is not None and conclusion not in _CONCLUSIONS:
        raise invalid("CheckRun", "conclusion")
    status = "completed" if body.get("conclusion") else body.get("status", run.status)
    if status not in _STATUSES:
        raise invalid("CheckRun", "status")
    if status == "completed" and conclusion is None:
        raise invalid("CheckRun", "conclusion", "missing_field")
    output = body.get("output") or {}
    if output and not (output.get("title", run.output.get("title")) and "summary" in {**run.output, **output}):
        raise invalid("CheckRun", "output", "missing_field")
    run.annotations += output.pop("annotations", None) or []
    run.name, run.status, run.conclusion = body.get("name", run.name), status, conclusion
    run.output |= output
    run.external_id = body.get("external_id", run.external_id)
    run.details_url = body.get("details_url", run.details_url)
    run.started_at = _date(body.get("started_at")) or run.started_at
    run.completed_at = (_date(body.get("completed_at")) or run.completed_at or now()) if status == "completed" else None


def _told(call: Call, run: CheckRun, action: str, status: int) -> Reply:
    completed = run.status == "completed"
    check_run_event(call.world, call.repository, run, "completed" if completed else action, call.user)
    reply = Reply(check_run_json(call.world, call.repository, run), status)
    if completed:
        carry_out_orders(call.world, call.repository, run.head_sha)
    return reply


@routes.add("GET", f"{REPO}/check-runs/{{run:int}}", Level.READ)
def get_check_run(call: Call) -> Reply:
    """Answer one check run."""
    return Reply(check_run_json(call.world, call.repository, _run_of(call)))


@routes.add("GET", f"{REPO}/check-runs/{{run:int}}/annotations", Level.READ)
def list_annotations(call: Call) -> Reply:
    """Answer a check run's notes on lines."""
    run = _run_of(call)
    blob = f"{api_url(call.world, call.repository)}/git/blobs/{run.head_sha}"
    empty = dict.fromkeys(("start_column", "end_column", "title", "raw_details"))
    return call.page(run.annotations, lambda one: empty | {"blob_href": blob} | one)


@routes.add("GET", f"{REPO}/commits/{{sha:path}}/check-runs", Level.READ)
def list_check_runs(call: Call) -> Reply:
    """Answer a commit's check runs, newest of each name; `filter=all` answers every one."""
    sha, query = commit_of(call, call.params["sha"]), call.query
    runs = latest_runs(call.repository, sha)
    if query.get("filter") == "all":
        runs = [run for run in call.repository.check_runs.values() if run.head_sha == sha]
    shown = [
        run for run in runs if query.get("check_name") in {None, run.name} and query.get("status") in {None, run.status}
    ]
    return call.page(shown, lambda run: check_run_json(call.world, call.repository, run), "check_runs")


@routes.add("GET", f"{REPO}/commits/{{sha:path}}/status", Level.READ)
def get_combined_status(call: Call) -> Reply:
    """Answer the combined status: no classic statuses are kept, so it is pending and empty, as on GitHub."""
    sha = commit_of(call, call.params["sha"])
    url = f"{api_url(call.world, call.repository)}/commits/{sha}"
    shape = {
        "state": "pending",
        "statuses": [],
        "sha": sha,
        "total_count": 0,
        "commit_url": url,
        "url": f"{url}/status",
    }
    return Reply(shape | {"repository": repository_json(call.world, call.repository)})


def _date(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
