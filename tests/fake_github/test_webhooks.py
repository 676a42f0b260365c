"""Webhooks of comments and pull requests: signed, in GitHub's shape, delivered over HTTP and recorded."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from github.Repository import Repository

from bot.fake_github import FakeGitHub
from tests.fake_github.conftest import NAME, commit_file
from tests.fake_github.receiver import ReceivedDelivery, Receiver, serve_receiver

SECRET = "s3cret ✓"
Branch = Callable[[str, str], str]


@pytest.fixture
def receiver(fake_github: FakeGitHub) -> Iterator[Receiver]:
    """Get every event of acme/engine."""
    with serve_receiver() as receiver:
        fake_github.add_webhook(NAME, receiver.url, SECRET, ["issue_comment", "pull_request"])
        yield receiver


def walk(bot: Repository, branch_from: Branch, number: int) -> None:
    """Do one of everything that is told."""
    comment = bot.get_issue(number).create_comment("/backport release/v1")
    comment.edit("/backport release/v2")
    comment.delete()
    branch_from("topic", "main")
    pull = bot.create_pull(title="t", body="b", head="topic", base="main", draft=True)
    pull.edit(title="u")
    pull.mark_ready_for_review()
    pull.add_to_labels("backport")
    pull.remove_from_labels("backport")
    bot.get_git_ref("heads/topic").edit(commit_file(bot, "topic", "Change it", "added.py", "y = 3\n"))
    pull.update()
    pull.merge()
    bot.create_issue("An issue").edit(state="closed")


def test_signature_proves_body_and_secret(
    fake_github: FakeGitHub, receiver: Receiver, original: int, bot: Repository
) -> None:
    bot.get_issue(original).create_comment("/backport ✓ release/v1")
    fake_github.wait_for_deliveries()
    (delivery,) = receiver.received
    signature = hmac.new(SECRET.encode(), delivery.body, hashlib.sha256).hexdigest()
    assert delivery.headers["X-Hub-Signature-256"] == f"sha256={signature}"
    assert delivery.headers["X-GitHub-Event"] == "issue_comment"
    assert str(uuid.UUID(delivery.headers["X-GitHub-Delivery"])) == delivery.headers["X-GitHub-Delivery"]
    assert delivery.payload["comment"]["body"] == "/backport ✓ release/v1"
    assert delivery.payload["issue"]["pull_request"]["url"] == f"{fake_github.api_url}/repos/{NAME}/pulls/{original}"
    assert delivery.payload["sender"]["login"] == "backport-bot[bot]"


def test_every_change_is_told_once_and_in_order(
    fake_github: FakeGitHub, receiver: Receiver, original: int, bot: Repository, branch_from: Branch
) -> None:
    walk(bot, branch_from, original)
    fake_github.wait_for_deliveries()
    assert receiver.events() == [
        "issue_comment created",
        "issue_comment edited",
        "issue_comment deleted",
        "pull_request opened",
        "pull_request edited",
        "pull_request ready_for_review",
        "pull_request labeled",
        "pull_request unlabeled",
        "pull_request synchronize",
        "pull_request closed",
    ]


def schema_of(delivery: ReceivedDelivery, document: dict[str, Any]) -> dict[str, Any]:
    """Find the official schema of a webhook by event and action."""
    action = delivery.payload.get("action")
    event = delivery.headers["X-GitHub-Event"]
    return {"$ref": f"#/definitions/{event}${action or 'event'}", "definitions": document["definitions"]}


def open_ended(node: Any) -> Any:
    """Let objects have members that the schemas, which are no longer kept up, have not heard of."""
    if isinstance(node, list):
        return [open_ended(delivery) for delivery in node]
    if isinstance(node, dict):
        return {
            key: open_ended(value) for key, value in node.items() if (key, value) != ("additionalProperties", False)
        }
    return node


@pytest.mark.node
def test_payloads_are_what_the_official_schemas_describe(
    fake_github: FakeGitHub, receiver: Receiver, original: int, bot: Repository, branch_from: Branch, node_modules: Path
) -> None:
    document = open_ended(json.loads((node_modules / "@octokit/webhooks-schemas/schema.json").read_text()))
    walk(bot, branch_from, original)
    fake_github.wait_for_deliveries()
    app, _ = fake_github.add_app("porter", [], {"contents": "write"})
    app.events, app.webhook_url = ["push", "repository"], receiver.url
    fake_github.install_app("porter", [NAME])
    commit = commit_file(bot, "main", "Change it again", "more.py", "z = 3\n")
    bot.get_git_ref("heads/main").edit(commit)
    fake_github.rename_repository(NAME, "acme/motor")
    fake_github.uninstall_app("porter", "acme/motor")
    fake_github.wait_for_deliveries()
    problems = []
    for delivery, name in zip(receiver.received, receiver.events(), strict=True):
        validator = jsonschema_rs.Draft7Validator(schema_of(delivery, document), validate_formats=True)
        errors = validator.iter_errors(delivery.payload)
        problems += [f"{name}: {'/'.join(map(str, error.instance_path))}: {error.message[:200]}" for error in errors]
    assert not problems, "\n".join(problems)
    assert receiver.events()[10:] == [
        "installation_repositories added",
        "push",
        "repository renamed",
        "installation_repositories removed",
    ]


def test_only_the_events_asked_for_are_sent(fake_github: FakeGitHub, original: int, bot: Repository) -> None:
    with serve_receiver() as receiver:
        fake_github.add_webhook(NAME, receiver.url, "", ["pull_request"])
        bot.get_issue(original).create_comment("hello")
        bot.get_issue(original).add_to_labels("one")
        fake_github.wait_for_deliveries()
        assert receiver.events() == ["pull_request labeled"]
        assert "X-Hub-Signature-256" not in receiver.received[0].headers


def test_endpoint_that_is_down_is_recorded(fake_github: FakeGitHub, original: int, bot: Repository) -> None:
    with serve_receiver() as receiver:
        fake_github.add_webhook(NAME, receiver.url, "", ["issue_comment"])
    bot.get_issue(original).create_comment("hello")
    fake_github.wait_for_deliveries()
    (delivery,) = fake_github.deliveries()
    assert delivery.status_code == 0
    assert "ConnectionRefusedError" in delivery.error


def test_seeding_tells_nobody(fake_github: FakeGitHub, receiver: Receiver, original: int) -> None:
    fake_github.seed_comment(NAME, original, author="ann", body="of the past")
    assert fake_github.deliveries() == ()
