"""Issues: read, create, edit, assign, and their history."""

from __future__ import annotations

from collections.abc import Iterable

from bot.fake_github.accounts import Level, User, now
from bot.fake_github.api import ApiRequest, ApiResponse, Routes, invalid, not_found
from bot.fake_github.conversation import Issue
from bot.fake_github.details import assign
from bot.fake_github.events import pull_request_event
from bot.fake_github.pull_requests import close
from bot.fake_github.serializers.issues import event_json, issue_json

routes = Routes()
ISSUES = "/repos/{owner}/{repo}/issues"
ISSUE = f"{ISSUES}/{{number:int}}"


def issue_of(request: ApiRequest) -> Issue:
    """Find the issue or pull request that the path names."""
    issue = request.repository.issues.get(request.number("number"))
    if issue is None:
        raise not_found()
    return issue


def need_author_or(request: ApiRequest, level: Level, author: User) -> None:
    """Refuse everyone but the author and people with the level."""
    if request.user is not author:
        request.need(level)


@routes.add("GET", ISSUES, Level.READ)
def list_issues(request: ApiRequest) -> ApiResponse:
    """Answer issues and pull requests, newest first. The query may name state, labels and creator."""
    query, repository = request.query, request.repository
    labels = {name.strip().lower() for name in query.get("labels", "").split(",") if name.strip()}
    issues = [
        issue
        for _, issue in sorted(repository.issues.items(), reverse=True)
        if query.get("state", "open") in {"all", issue.state}
        and labels <= {label.name.lower() for label in issue.labels}
        and query.get("creator", issue.user.login).lower() == issue.user.login.lower()
    ]
    return request.page(issues, lambda issue: issue_json(request.world, repository, issue))


@routes.add("POST", ISSUES, Level.READ)
def create_issue(request: ApiRequest) -> ApiResponse:
    """Open an issue. Labels of a caller without triage access are dropped, as on GitHub."""
    world, repository, time = request.world, request.repository, now()
    issue = Issue(
        id=world.next_id(),
        number=world.next_number(repository),
        title=request.text("title", "Issue"),
        body=request.body.get("body"),
        user=request.user,
        created_at=time,
        updated_at=time,
    )
    if request.level >= Level.TRIAGE:
        issue.labels = [world.label(repository, name) for name in label_names(request.body.get("labels", []))]
    repository.issues[issue.number] = issue
    return ApiResponse(issue_json(world, repository, issue), 201)


def label_names(labels: Iterable[object]) -> list[str]:
    """Read the names of labels: GitHub takes names and objects that have one."""
    return [str(label["name"]) if isinstance(label, dict) else str(label) for label in labels]


@routes.add("GET", ISSUE, Level.READ)
def get_issue(request: ApiRequest) -> ApiResponse:
    """Answer one issue."""
    return ApiResponse(issue_json(request.world, request.repository, issue_of(request)))


@routes.add("PATCH", ISSUE, Level.READ)
def edit_issue(request: ApiRequest) -> ApiResponse:
    """Change title, body and state; with triage access also the milestone."""
    issue = issue_of(request)
    need_author_or(request, Level.TRIAGE, issue.user)
    edit_text(request, issue)
    if "milestone" in request.body and request.level >= Level.TRIAGE:
        _set_milestone(request, issue)
    set_state(request, issue)
    return ApiResponse(issue_json(request.world, request.repository, issue))


def edit_text(request: ApiRequest, issue: Issue) -> None:
    """Replace title and body by those of the request, and send the event."""
    changes: dict[str, dict[str, str]] = {}
    for key in ("title", "body"):
        if key in request.body and request.body[key] != getattr(issue, key):
            changes[key] = {"from": getattr(issue, key) or ""}
            setattr(issue, key, request.body[key])
    if changes:
        issue.updated_at = now()
        pull_request_event(request.world, request.repository, issue, "edited", request.user, changes=changes)


def set_state(request: ApiRequest, issue: Issue) -> None:
    """Close if the request says so, and send the event. Reopening is not supported."""
    state = request.body.get("state", issue.state)
    if state not in {"closed", issue.state}:
        raise invalid("Issue", "state")
    if state != issue.state:
        close(request.world, issue, request.user, None if issue.pull else "completed")
        pull_request_event(request.world, request.repository, issue, "closed", request.user)


def _set_milestone(request: ApiRequest, issue: Issue) -> None:
    number, milestones = request.body["milestone"], request.repository.milestones
    if number is not None and number not in milestones:
        raise invalid("Issue", "milestone")
    issue.milestone = None if number is None else milestones[number]


@routes.add("POST", f"{ISSUE}/assignees", Level.TRIAGE)
def add_assignees(request: ApiRequest) -> ApiResponse:
    """Assign the people with access. Others are passed over without an error, as on GitHub."""
    issue, repository = issue_of(request), request.repository
    users = [request.world.user(login) for login in request.body.get("assignees", [])]
    assign(request.world, repository, issue, users, request.user)
    return ApiResponse(issue_json(request.world, repository, issue), 201)


@routes.add("GET", f"{ISSUE}/events", Level.READ)
def list_events(request: ApiRequest) -> ApiResponse:
    """Answer an issue's history, oldest first."""
    issue, repository = issue_of(request), request.repository
    return request.page(issue.events, lambda event: event_json(request.world, repository, event))
