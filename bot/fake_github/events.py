"""Webhook events: what happens to comments and pull requests, in GitHub's payloads."""

from __future__ import annotations

from bot.fake_github.accounts import User
from bot.fake_github.api import Json
from bot.fake_github.conversation import Comment, Issue
from bot.fake_github.github_state import World
from bot.fake_github.repository_records import Repository
from bot.fake_github.serializers.issues import comment_json, issue_json
from bot.fake_github.serializers.pulls import full_pull_json
from bot.fake_github.serializers.repositories import repository_json
from bot.fake_github.serializers.users import user_json


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
