"""Labels of a repository and of an issue, and milestones."""

from __future__ import annotations

from bot.fake_github.accounts import Level, now
from bot.fake_github.api import ApiError, ApiRequest, ApiResponse, Json, Routes, invalid
from bot.fake_github.conversation import Issue, Milestone
from bot.fake_github.details import add_label, note_label
from bot.fake_github.rest.issues import ISSUE, issue_of, label_names
from bot.fake_github.serializers.repositories import label_json, milestone_json

routes = Routes()
REPO = "/repos/{owner}/{repo}"


@routes.add("GET", f"{REPO}/labels", Level.READ)
def list_labels(request: ApiRequest) -> ApiResponse:
    """Answer the repository's labels."""
    repository = request.repository
    return request.page(repository.labels.values(), lambda label: label_json(request.world, repository, label))


@routes.add("POST", f"{ISSUE}/labels", Level.TRIAGE)
def add_labels(request: ApiRequest) -> ApiResponse:
    """Add labels to an issue; the repository gets those that it does not have. GitHub also takes a bare list."""
    issue = issue_of(request)
    names = request.data if isinstance(request.data, list) else request.body.get("labels", [])
    for name in label_names(names):
        label = request.world.label(request.repository, name)
        add_label(request.world, request.repository, issue, label, request.user)
    return ApiResponse(_labels_json(request, issue))


@routes.add("DELETE", f"{ISSUE}/labels/{{name:path}}", Level.TRIAGE)
def remove_label(request: ApiRequest) -> ApiResponse:
    """Take a label off an issue."""
    issue, name = issue_of(request), request.params["name"].lower()
    label = next((label for label in issue.labels if label.name.lower() == name), None)
    if label is None:
        raise ApiError(404, "Label does not exist")
    issue.labels.remove(label)
    note_label(request.world, request.repository, issue, "unlabeled", label, request.user)
    return ApiResponse(_labels_json(request, issue))


def _labels_json(request: ApiRequest, issue: Issue) -> list[Json]:
    return [label_json(request.world, request.repository, label) for label in issue.labels]


@routes.add("POST", f"{REPO}/milestones", Level.WRITE)
def create_milestone(request: ApiRequest) -> ApiResponse:
    """Create a milestone."""
    title, milestones, time = request.text("title", "Milestone"), request.repository.milestones, now()
    if any(milestone.title == title for milestone in milestones.values()):
        raise invalid("Milestone", "title", "already_exists")
    number = max(milestones, default=0) + 1
    milestone = Milestone(
        id=request.world.next_id(), number=number, title=title, creator=request.user, created_at=time, updated_at=time
    )
    milestones[number] = milestone
    return ApiResponse(milestone_json(request.world, request.repository, milestone), 201)
