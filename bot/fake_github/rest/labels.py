"""Labels of a repository and of an issue, and milestones."""

from __future__ import annotations

from datetime import datetime

from bot.fake_github.accounts import Level, now
from bot.fake_github.api import Call, Refusal, Reply, Routes, invalid, not_found
from bot.fake_github.conversation import Issue, Label, Milestone
from bot.fake_github.events import issue_event
from bot.fake_github.rest.issues import ISSUE, issue_of
from bot.fake_github.serializers.repositories import label_json, milestone_json

routes = Routes()
REPO = "/repos/{owner}/{repo}"


@routes.add("GET", f"{REPO}/labels", Level.READ)
def list_labels(call: Call) -> Reply:
    """Answer the repository's labels."""
    return call.page(call.repository.labels.values(), lambda label: label_json(call.world, call.repository, label))


@routes.add("POST", f"{REPO}/labels", Level.WRITE)
def create_label(call: Call) -> Reply:
    """Create a label; a name that is taken is refused."""
    name = call.text("name", "Label")
    if name.lower() in call.repository.labels:
        raise invalid("Label", "name", "already_exists")
    label = call.world.label(call.repository, name)
    _describe(call, label)
    return Reply(label_json(call.world, call.repository, label), 201)


@routes.add("GET", f"{REPO}/labels/{{name:path}}", Level.READ)
def get_label(call: Call) -> Reply:
    """Answer one label."""
    return Reply(label_json(call.world, call.repository, _label_of(call)))


@routes.add("PATCH", f"{REPO}/labels/{{name:path}}", Level.WRITE)
def edit_label(call: Call) -> Reply:
    """Rename or recolour a label."""
    label = _label_of(call)
    del call.repository.labels[label.name.lower()]
    label.name = call.body.get("new_name") or label.name
    call.repository.labels[label.name.lower()] = label
    _describe(call, label)
    return Reply(label_json(call.world, call.repository, label))


@routes.add("DELETE", f"{REPO}/labels/{{name:path}}", Level.WRITE)
def delete_label(call: Call) -> Reply:
    """Delete a label everywhere."""
    label = _label_of(call)
    del call.repository.labels[label.name.lower()]
    for issue in call.repository.issues.values():
        issue.labels = [one for one in issue.labels if one is not label]
    return Reply(status=204)


def _label_of(call: Call) -> Label:
    label = call.repository.labels.get(call.params["name"].lower())
    if label is None:
        raise not_found()
    return label


def _describe(call: Call, label: Label) -> None:
    label.color = str(call.body.get("color") or label.color).removeprefix("#")
    label.description = call.body.get("description", label.description)


# --- on an issue ------------------------------------------------------------------------------------------------------


@routes.add("GET", f"{ISSUE}/labels", Level.READ)
def list_issue_labels(call: Call) -> Reply:
    """Answer an issue's labels."""
    return call.page(issue_of(call).labels, lambda label: label_json(call.world, call.repository, label))


@routes.add("POST", f"{ISSUE}/labels", Level.TRIAGE)
def add_labels(call: Call) -> Reply:
    """Add labels; unknown ones come to be."""
    issue = issue_of(call)
    for name in _names(call):
        _add(call, issue, call.world.label(call.repository, name))
    return Reply([label_json(call.world, call.repository, label) for label in issue.labels])


@routes.add("PUT", f"{ISSUE}/labels", Level.TRIAGE)
def set_labels(call: Call) -> Reply:
    """Have exactly these labels."""
    issue, names = issue_of(call), _names(call)
    for label in [one for one in issue.labels if one.name not in names]:
        _remove(call, issue, label)
    return add_labels(call)


@routes.add("DELETE", f"{ISSUE}/labels/{{name:path}}", Level.TRIAGE)
def remove_label(call: Call) -> Reply:
    """Take a label off."""
    issue = issue_of(call)
    for label in issue.labels:
        if label.name.lower() == call.params["name"].lower():
            _remove(call, issue, label)
            return Reply([label_json(call.world, call.repository, one) for one in issue.labels])
    raise Refusal(404, "Label does not exist")


@routes.add("DELETE", f"{ISSUE}/labels", Level.TRIAGE)
def remove_all_labels(call: Call) -> Reply:
    """Take every label off."""
    issue = issue_of(call)
    for label in list(issue.labels):
        _remove(call, issue, label)
    return Reply(status=204)


def _names(call: Call) -> list[str]:
    """Read the names: GitHub takes `{"labels": [...]}` and a bare list, of names or of objects."""
    given = call.data if isinstance(call.data, list) else call.body.get("labels", [])
    return [str(one["name"]) if isinstance(one, dict) else str(one) for one in given]


def _add(call: Call, issue: Issue, label: Label) -> None:
    if label not in issue.labels:
        issue.labels.append(label)
        call.world.note(issue, "labeled", call.user, label=label)
        shape = label_json(call.world, call.repository, label)
        issue_event(call.world, call.repository, issue, "labeled", call.user, label=shape)


def _remove(call: Call, issue: Issue, label: Label) -> None:
    issue.labels.remove(label)
    call.world.note(issue, "unlabeled", call.user, label=label)
    shape = label_json(call.world, call.repository, label)
    issue_event(call.world, call.repository, issue, "unlabeled", call.user, label=shape)


# --- milestones -------------------------------------------------------------------------------------------------------


@routes.add("GET", f"{REPO}/milestones", Level.READ)
def list_milestones(call: Call) -> Reply:
    """Answer the milestones."""
    state = call.query.get("state", "open")
    shown = [one for one in call.repository.milestones.values() if state in {"all", one.state}]
    return call.page(shown, lambda one: milestone_json(call.world, call.repository, one))


@routes.add("POST", f"{REPO}/milestones", Level.WRITE)
def create_milestone(call: Call) -> Reply:
    """Create a milestone."""
    title, made = call.text("title", "Milestone"), now()
    known = call.repository.milestones
    if any(one.title == title for one in known.values()):
        raise invalid("Milestone", "title", "already_exists")
    due = call.body.get("due_on")
    milestone = Milestone(
        id=call.world.next_id(),
        number=max(known, default=0) + 1,
        title=title,
        creator=call.user,
        created_at=made,
        updated_at=made,
        description=call.body.get("description"),
        state=call.body.get("state", "open"),
        due_on=datetime.fromisoformat(due) if due else None,
    )
    known[milestone.number] = milestone
    return Reply(milestone_json(call.world, call.repository, milestone), 201)


@routes.add("GET", f"{REPO}/milestones/{{number:int}}", Level.READ)
def get_milestone(call: Call) -> Reply:
    """Answer one milestone."""
    milestone = call.repository.milestones.get(call.number("number"))
    if milestone is None:
        raise not_found()
    return Reply(milestone_json(call.world, call.repository, milestone))
