"""Webhook events: what happens to comments, pull requests, branches and repositories, in GitHub's payloads."""

from __future__ import annotations

from bot.fake_github.accounts import App, User
from bot.fake_github.api import Json
from bot.fake_github.conversation import Comment, Issue
from bot.fake_github.git_store import NO_OBJECT
from bot.fake_github.github_state import World
from bot.fake_github.repository_records import Repository, Webhook
from bot.fake_github.serializers.issues import comment_json, issue_json
from bot.fake_github.serializers.pulls import full_pull_json
from bot.fake_github.serializers.repositories import html_url, repository_json
from bot.fake_github.serializers.users import installation_json, user_json


def _send(world: World, repository: Repository, event: str, sender: User, payload: Json) -> None:
    common = {"repository": repository_json(world, repository), "sender": user_json(world, sender)}
    world.outbox.send(repository, event, payload | common)


def comment_event(
    world: World, repository: Repository, issue: Issue, comment: Comment, action: str, sender: User, **details: Json
) -> None:
    """Send that a comment was created, edited or deleted."""
    payload = {
        "action": action,
        "issue": issue_json(world, repository, issue),
        "comment": comment_json(world, repository, issue, comment),
    }
    _send(world, repository, "issue_comment", sender, payload | details)


def pull_request_event(
    world: World, repository: Repository, issue: Issue, action: str, sender: User, **details: Json | str
) -> None:
    """Send what happened to a pull request; nothing for an issue that is none, whose events nobody asks for."""
    if issue.pull is None:
        return
    pull_request = full_pull_json(world, repository, issue)
    payload: Json = {"action": action, "number": issue.number, "pull_request": pull_request}
    _send(world, repository, "pull_request", sender, payload | details)


def push_event(world: World, repository: Repository, branch: str, old: str, new: str, sender: User) -> None:
    """Send that a branch moved. Of its commits nothing is told, as of more than 2048."""
    payload: Json = {
        "ref": f"refs/heads/{branch}",
        "before": old,
        "after": new,
        "created": old == NO_OBJECT,
        "deleted": new == NO_OBJECT,
        "forced": False,
        "base_ref": None,
        "compare": f"{html_url(world, repository)}/compare/{old[:12]}...{new[:12]}",
        "commits": [],
        "head_commit": None,
        "pusher": {"name": sender.login, "email": sender.email},
    }
    _send(world, repository, "push", sender, payload)


def renamed_event(world: World, repository: Repository, old_name: str) -> None:
    """Send that a repository has another name."""
    changes = {"repository": {"name": {"from": old_name}}}
    _send(world, repository, "repository", repository.owner, {"action": "renamed", "changes": changes})


def installation_event(world: World, app: App, hook: Webhook, repository: Repository, action: str) -> None:
    """Send an App that it was installed on a repository ("added"), or is not any more ("removed")."""
    entry = {"id": repository.id, "node_id": repository_json(world, repository)["node_id"], "name": repository.name}
    entry |= {"full_name": repository.full_name, "private": repository.private}
    payload: Json = {
        "action": action,
        "installation": installation_json(world, app, repository.owner.login),
        "repository_selection": "selected",
        "repositories_added": [entry] if action == "added" else [],
        "repositories_removed": [entry] if action == "removed" else [],
        "requester": None,
        "sender": user_json(world, repository.owner),
    }
    world.outbox.send_to(hook, repository, "installation_repositories", payload)
