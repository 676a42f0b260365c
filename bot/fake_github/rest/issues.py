"""Issues: read, create, edit, lock, assign, and their history."""

from __future__ import annotations

from datetime import datetime

from bot.fake_github.accounts import Level, User, now
from bot.fake_github.api import Call, Refusal, Reply, Routes, invalid, not_found
from bot.fake_github.conversation import Issue
from bot.fake_github.events import issue_event
from bot.fake_github.pull_requests import close, reopen
from bot.fake_github.serializers.issues import event_json, issue_json
from bot.fake_github.serializers.users import user_json

routes = Routes()
ISSUES = "/repos/{owner}/{repo}/issues"
ISSUE = f"{ISSUES}/{{number:int}}"


def issue_of(call: Call) -> Issue:
    """Find the issue or pull request that the path names."""
    issue = call.repository.issues.get(call.number("number"))
    if issue is None:
        raise not_found()
    return issue


def need_author_or(call: Call, level: Level, author: User) -> None:
    """Refuse everyone but the author and people with the level."""
    if call.user is not author:
        call.need(level)


@routes.add("GET", ISSUES, Level.READ)
def list_issues(call: Call) -> Reply:
    """Answer issues and pull requests, newest first."""
    state, labels = call.query.get("state", "open"), call.query.get("labels", "")
    wanted = {name.strip().lower() for name in labels.split(",") if name.strip()}
    since = call.query.get("since")
    chosen = [
        issue
        for _, issue in sorted(call.repository.issues.items(), reverse=True)
        if state in {"all", issue.state}
        and wanted <= {label.name.lower() for label in issue.labels}
        and (since is None or issue.updated_at >= datetime.fromisoformat(since))
        and call.query.get("creator", issue.user.login).lower() == issue.user.login.lower()
    ]
    return call.page(chosen, lambda issue: issue_json(call.world, call.repository, issue))


@routes.add("POST", ISSUES, Level.READ)
def create_issue(call: Call) -> Reply:
    """Open an issue. Labels, assignees and milestone of a caller without triage access are dropped, as on GitHub."""
    world, repository, made = call.world, call.repository, now()
    title, user = call.text("title", "Issue"), call.user
    issue = Issue(
        id=world.next_id(),
        number=world.next_number(repository),
        title=title,
        body=call.body.get("body"),
        user=user,
        created_at=made,
        updated_at=made,
    )
    if call.level >= Level.TRIAGE:
        issue.labels = [world.label(repository, _name(label)) for label in call.body.get("labels", [])]
        _assign(call, issue, call.body.get("assignees", []))
        _set_milestone(call, issue)
    repository.issues[issue.number] = issue
    issue_event(world, repository, issue, "opened", user)
    return Reply(issue_json(world, repository, issue), 201)


@routes.add("GET", ISSUE, Level.READ)
def get_issue(call: Call) -> Reply:
    """Answer one issue."""
    return Reply(issue_json(call.world, call.repository, issue_of(call)))


@routes.add("PATCH", ISSUE, Level.READ)
def edit_issue(call: Call) -> Reply:
    """Change title, body, state; with triage access also labels, assignees and milestone."""
    issue = issue_of(call)
    need_author_or(call, Level.TRIAGE, issue.user)
    edit_text(call, issue)
    if call.level >= Level.TRIAGE:
        if "labels" in call.body:
            issue.labels = [call.world.label(call.repository, _name(label)) for label in call.body["labels"]]
        if "assignees" in call.body:
            issue.assignees = []
            _assign(call, issue, call.body["assignees"] or [])
        _set_milestone(call, issue)
    set_state(call, issue)
    return Reply(issue_json(call.world, call.repository, issue))


def edit_text(call: Call, issue: Issue) -> None:
    """Take over a new title or body, and tell of it."""
    was: dict[str, dict[str, str]] = {}
    for key in ("title", "body"):
        if key in call.body and call.body[key] != getattr(issue, key):
            was[key] = {"from": getattr(issue, key) or ""}
            setattr(issue, key, call.body[key])
    if was:
        issue.updated_at = now()
        issue_event(call.world, call.repository, issue, "edited", call.user, changes=was)


def set_state(call: Call, issue: Issue) -> None:
    """Close or reopen, and tell of it."""
    state = call.body.get("state")
    if state not in {None, "open", "closed"}:
        raise invalid("Issue", "state")
    if state == "closed" and issue.state == "open":
        close(call.world, issue, call.user, call.body.get("state_reason") or (None if issue.pull else "completed"))
        issue_event(call.world, call.repository, issue, "closed", call.user)
    elif state == "open" and issue.state == "closed":
        if issue.pull and issue.pull.merged:
            raise invalid("PullRequest", "state", message="state cannot be changed. The pull request was merged.")
        reopen(call.world, issue, call.user)
        issue_event(call.world, call.repository, issue, "reopened", call.user)


def _name(label: object) -> str:
    return str(label.get("name")) if isinstance(label, dict) else str(label)


def _set_milestone(call: Call, issue: Issue) -> None:
    if "milestone" not in call.body:
        return
    number = call.body["milestone"]
    if number is not None and number not in call.repository.milestones:
        raise invalid("Issue", "milestone")
    issue.milestone = None if number is None else call.repository.milestones[number]


def _assign(call: Call, issue: Issue, logins: list[str]) -> None:
    """Assign the people who can be: those with access. Others are passed over in silence, as on GitHub."""
    for login in logins:
        user = call.world.user(login)
        assignable = user is not None and (call.repository.levels.get(login.lower()) or user is call.repository.owner)
        if user and assignable and user not in issue.assignees:
            issue.assignees.append(user)
            call.world.note(issue, "assigned", call.user)


@routes.add("POST", f"{ISSUE}/assignees", Level.TRIAGE)
def add_assignees(call: Call) -> Reply:
    """Assign people."""
    issue = issue_of(call)
    _assign(call, issue, call.body.get("assignees", []))
    issue_event(call.world, call.repository, issue, "assigned", call.user)
    return Reply(issue_json(call.world, call.repository, issue), 201)


@routes.add("DELETE", f"{ISSUE}/assignees", Level.TRIAGE)
def remove_assignees(call: Call) -> Reply:
    """Unassign people."""
    issue, gone = issue_of(call), {login.lower() for login in call.body.get("assignees", [])}
    issue.assignees = [user for user in issue.assignees if user.login.lower() not in gone]
    return Reply(issue_json(call.world, call.repository, issue))


@routes.add("GET", "/repos/{owner}/{repo}/assignees", Level.READ)
def list_assignees(call: Call) -> Reply:
    """Answer who can be assigned."""
    people = [user for login in call.repository.levels if (user := call.world.user(login))]
    return call.page(people, lambda user: user_json(call.world, user))


@routes.add("PUT", f"{ISSUE}/lock", Level.TRIAGE)
def lock_issue(call: Call) -> Reply:
    """Lock a conversation."""
    issue, reason = issue_of(call), call.body.get("lock_reason")
    if reason not in {None, "off-topic", "too heated", "resolved", "spam"}:
        raise Refusal(422, "Invalid request.\n\nlock_reason is not a permitted value.")
    issue.locked, issue.lock_reason = True, reason
    issue_event(call.world, call.repository, issue, "locked", call.user)
    return Reply(status=204)


@routes.add("DELETE", f"{ISSUE}/lock", Level.TRIAGE)
def unlock_issue(call: Call) -> Reply:
    """Unlock a conversation."""
    issue = issue_of(call)
    issue.locked, issue.lock_reason = False, None
    issue_event(call.world, call.repository, issue, "unlocked", call.user)
    return Reply(status=204)


@routes.add("GET", f"{ISSUE}/events", Level.READ)
def list_events(call: Call) -> Reply:
    """Answer an issue's history, oldest first."""
    issue = issue_of(call)
    return call.page(issue.events, lambda event: event_json(call.world, call.repository, issue, event))
