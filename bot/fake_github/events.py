"""What happens in a repository, told to its webhooks in GitHub's payload shapes.

Owns payloads. Delivery is `webhooks`; what caused an event is `rest`, `graphql` and `refs`.
"""

from __future__ import annotations

from bot.fake_github.accounts import User
from bot.fake_github.api import Json
from bot.fake_github.conversation import Comment, Issue, Review
from bot.fake_github.git_diff import changes
from bot.fake_github.git_store import NO_OBJECT
from bot.fake_github.serializers.actions import run_json, workflow_json
from bot.fake_github.serializers.checks import check_run_json, check_suite_json
from bot.fake_github.serializers.commits import pushed_commit_json
from bot.fake_github.serializers.issues import comment_json, issue_json
from bot.fake_github.serializers.pulls import full_pull_json, review_json
from bot.fake_github.serializers.repositories import html_url, repository_json
from bot.fake_github.serializers.users import organization_json, user_json
from bot.fake_github.state import CheckRun, Repository, WorkflowRun
from bot.fake_github.world import World


def _send(world: World, repository: Repository, event: str, sender: User, payload: Json) -> None:
    common: Json = {"repository": repository_json(world, repository), "sender": user_json(world, sender)}
    if repository.owner.type == "Organization":
        common["organization"] = _organization_json(world, repository.owner)
    world.outbox.send(repository, event, payload | common)


def _organization_json(world: World, owner: User) -> Json:
    shape = organization_json(world, owner)
    names = ("login", "id", "node_id", "url", "avatar_url", "description", "members_url", "public_members_url")
    return {key: shape[key] for key in (*names, "repos_url", "events_url", "hooks_url", "issues_url")}


def comment_event(
    world: World, repository: Repository, issue: Issue, comment: Comment, action: str, sender: User, **extra: Json | str
) -> None:
    """Tell of a comment: created, edited or deleted."""
    payload = {
        "action": action,
        "issue": issue_json(world, repository, issue),
        "comment": comment_json(world, repository, issue, comment),
    }
    _send(world, repository, "issue_comment", sender, payload | extra)


def issue_event(
    world: World, repository: Repository, issue: Issue, action: str, sender: User, **extra: Json | str
) -> None:
    """Tell of an issue or a pull request: GitHub has one event for each, with the same actions."""
    if issue.pull is None:
        payload: Json = {"action": action, "issue": issue_json(world, repository, issue)}
        _send(world, repository, "issues", sender, payload | extra)
    else:
        shape = full_pull_json(world, repository, issue)
        payload = {"action": action, "number": issue.number, "pull_request": shape}
        _send(world, repository, "pull_request", sender, payload | extra)


def review_event(world: World, repository: Repository, issue: Issue, review: Review, sender: User) -> None:
    """Tell of a submitted review."""
    shape = review_json(world, repository, issue, review)
    payload = {
        "action": "submitted",
        "review": shape | {"state": review.state.lower()},
        "pull_request": full_pull_json(world, repository, issue),
    }
    _send(world, repository, "pull_request_review", sender, payload)


def check_run_event(world: World, repository: Repository, run: CheckRun, action: str, sender: User) -> None:
    """Tell of a check run: created or completed."""
    suite = [one for one in repository.check_runs.values() if one.suite_id == run.suite_id]
    shape = check_run_json(world, repository, run)
    shape["check_suite"] = check_suite_json(world, repository, suite)
    _send(world, repository, "check_run", sender, {"action": action, "check_run": shape})


def push_event(world: World, repository: Repository, ref: str, before: str, after: str, sender: User) -> None:
    """Tell of a ref that moved. `before` or `after` is 40 zeros for a ref that came or went."""
    git = repository.git
    created, deleted = before == NO_OBJECT, after == NO_OBJECT
    known = git.kind(after) == "commit"
    new = git.log(after if created else f"{before}..{after}", limit=20)[::-1] if known else []
    commits = [
        pushed_commit_json(world, repository, one, changes(git, one.parents[0] if one.parents else None, one.sha))
        for one in (new if not created else new[-1:])
    ]
    compare = f"{html_url(world, repository)}/compare/{before[:12]}...{after[:12]}"
    payload: Json = {
        "ref": ref,
        "before": before,
        "after": after,
        "created": created,
        "deleted": deleted,
        "forced": not (created or deleted) and not git.is_ancestor(before, after),
        "base_ref": None,
        "compare": compare,
        "commits": commits,
        "head_commit": commits[-1] if commits else None,
        "pusher": {"name": sender.login, "email": sender.email},
    }
    _send(world, repository, "push", sender, payload)


def workflow_run_event(world: World, repository: Repository, run: WorkflowRun, action: str, sender: User) -> None:
    """Tell of a workflow run: requested or completed."""
    payload = {
        "action": action,
        "workflow": workflow_json(world, repository, run.path),
        "workflow_run": run_json(world, repository, run),
    }
    _send(world, repository, "workflow_run", sender, payload)


def dispatch_event(world: World, repository: Repository, event: str, payload: Json, sender: User) -> None:
    """Tell of a dispatch: `workflow_dispatch` or `repository_dispatch`, with what the caller sent along."""
    _send(world, repository, event, sender, payload)
