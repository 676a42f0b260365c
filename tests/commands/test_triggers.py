"""Deliveries: which are triggers, and that none breaks the reader."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.commands.triggers import (
    ChangeTrigger,
    CommentTrigger,
    LabelTrigger,
    MergeTrigger,
    parse_delivery,
)
from bot.environment.cache_folder import cache_directory
from bot.text.markers import status_marker

EXAMPLES = "@octokit/webhooks-examples@7.6.1"


def comment(**changes: object) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "action": "created",
        "issue": {"number": 7, "pull_request": {"url": "https://api.github.com/…"}},
        "comment": {"id": 99, "body": "/backport a", "user": {"login": "alice", "type": "User"}},
        "repository": {"full_name": "o/r"},
        "sender": {"login": "alice", "type": "User"},
    }
    return {**payload, **changes}


def pull_request(action: str, **changes: object) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "action": action,
        "pull_request": {"number": 7, "merged": True, "labels": [{"name": "bug"}], "user": {"login": "author"}},
        "label": {"name": "backport v1"},
        "repository": {"full_name": "o/r"},
        "sender": {"login": "labeller", "type": "User"},
    }
    return {**payload, **changes}


def test_a_comment_on_a_pull_request_is_a_trigger() -> None:
    expected = CommentTrigger(repository="o/r", pull_request=7, comment_id=99, author="alice", body="/backport a")
    assert parse_delivery("issue_comment", comment()) == expected


def test_a_label_is_a_trigger_in_the_name_of_who_put_it_there() -> None:
    found = parse_delivery("pull_request", pull_request("labeled"))
    assert found == LabelTrigger(repository="o/r", pull_request=7, label="backport v1", sender="labeller", merged=True)


def test_a_merge_is_a_trigger_even_in_a_bot_name() -> None:
    queue = {"login": "github-merge-queue[bot]", "type": "Bot"}
    found = parse_delivery("pull_request", pull_request("closed", sender=queue))
    assert found == MergeTrigger(repository="o/r", pull_request=7, sender=queue["login"], labels=("bug",))


@pytest.mark.parametrize(
    "payload",
    [
        comment(action="edited"),
        comment(action="deleted"),
        comment(
            comment={**comment()["comment"], "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:01Z"}
        ),
        comment(issue={"number": 7}),
        comment(comment={"id": 99, "body": "/backport a", "user": {"login": "dependabot[bot]", "type": "Bot"}}),
        comment(comment={"id": 99, "body": "/backport a", "user": {"login": "Backport-Bot", "type": "User"}}),
        comment(comment={"id": 99, "body": f"{status_marker('x')}\n/backport a", "user": {"login": "alice"}}),
        comment(comment={"id": 99, "body": "/backport a", "user": None}),
        comment(comment=None),
        comment(repository=None),
        {},
    ],
)
def test_a_comment_that_asks_nothing_of_us_is_ignored(payload: Mapping[str, Any]) -> None:
    assert parse_delivery("issue_comment", payload, own_login="backport-bot") is None


@pytest.mark.parametrize("action", ["synchronize", "ready_for_review", "reopened"])
def test_a_change_counts_on_a_pull_request_of_ours_only(action: str) -> None:
    ours = {"number": 8, "body": f"{status_marker('x')}\n", "user": {"login": "backport-bot[bot]"}}
    expected = ChangeTrigger(repository="o/r", pull_request=8)
    assert parse_delivery("pull_request", pull_request(action, pull_request=ours)) == expected
    assert parse_delivery("pull_request", pull_request(action, pull_request={**ours, "body": "Mine"})) is None


@pytest.mark.parametrize(
    "payload",
    [
        pull_request("unlabeled"),
        pull_request("closed", pull_request={"number": 7, "merged": False}),
        pull_request("labeled", sender={"login": "x[bot]", "type": "Bot"}),
        pull_request("labeled", label={}),
    ],
)
def test_a_pull_request_event_that_asks_nothing_of_us_is_ignored(payload: Mapping[str, Any]) -> None:
    assert parse_delivery("pull_request", payload) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
_KEYS = ("issue", "comment", "repository", "sender", "pull_request", "label", "labels")


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["issue_comment", "pull_request"]),
    st.sampled_from(["created", "labeled", "closed"]),
    st.dictionaries(st.sampled_from(_KEYS), _JSON),
)
def test_garbage_is_ignored_without_an_error(event: str, action: str, garbage: dict[str, Any]) -> None:
    parse_delivery(event, {**garbage, "action": action})
    full = comment() if event == "issue_comment" else pull_request(action)
    parse_delivery(event, {**full, **garbage, "action": action})


@pytest.fixture(scope="module")
def examples() -> list[dict[str, Any]]:
    """Return GitHub's example payloads by event, from npm; downloaded once."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not on this machine, so GitHub's example payloads cannot be had")
    home = cache_directory() / "npm" / EXAMPLES.replace("/", "-")
    index = home / "node_modules/@octokit/webhooks-examples/api.github.com/index.json"
    if not index.exists():
        _install(home)
    examples: list[dict[str, Any]] = json.loads(index.read_text(encoding="utf-8"))
    return examples


def _install(home: Path) -> None:
    # Made under a name of its own and moved into place, so that two test processes do not meet half-way.
    scratch = home.with_name(f"{home.name}.{os.getpid()}")
    scratch.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(scratch), EXAMPLES]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    if home.exists():
        shutil.rmtree(scratch)
    else:
        scratch.rename(home)


@pytest.mark.node
def test_every_example_of_github_is_parsed_or_ignored(examples: list[dict[str, Any]]) -> None:
    parsed_items = [
        trigger
        for event in examples
        for payload in event["examples"]
        if (trigger := parse_delivery(event["name"], payload)) is not None
    ]
    assert sum(len(event["examples"]) for event in examples) == 329
    assert {type(trigger) for trigger in parsed_items} >= {LabelTrigger}


_ODD = st.sampled_from([None, "", 0, -1, True, [], {}, "\ud83d", "\N{ROCKET}" * 70_000, [None], {"login": None}, 2**70])


def _broken(draw: st.DrawFn, value: Any, chance: int) -> Any:
    """Leave out or replace a few things of a payload, wherever they are."""
    if draw(st.integers(0, chance)) == 0:
        return draw(_ODD)
    if isinstance(value, dict):
        kept_values = {key: entry for key, entry in value.items() if draw(st.integers(0, chance)) != 0}
        return {key: _broken(draw, entry, chance) for key, entry in kept_values.items()}
    return [_broken(draw, entry, chance) for entry in value] if isinstance(value, list) else value


@st.composite
def _breaking(draw: st.DrawFn, payload: dict[str, Any]) -> dict[str, Any]:
    keys = ("action", "issue", "comment", "pull_request", "label", "repository", "sender")
    whole_values = {key: payload[key] for key in keys if key in payload}
    return {key: _broken(draw, value, 30) for key, value in whole_values.items()}


@pytest.mark.node
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_no_broken_example_of_github_breaks_the_reader_or_speaks_for_somebody_else(
    examples: list[dict[str, Any]], data: st.DataObject
) -> None:
    ours = [example for example in examples if example["name"] in ("issue_comment", "pull_request")]
    event = data.draw(st.sampled_from(ours))
    payload = data.draw(st.sampled_from(event["examples"]).flatmap(_breaking))
    trigger = parse_delivery(event["name"], payload)
    match trigger:
        case CommentTrigger():
            assert trigger.author == payload["comment"]["user"]["login"]
            assert payload["comment"]["user"].get("type") != "Bot"
        case LabelTrigger():
            assert trigger.sender == payload["sender"]["login"]
            assert trigger.label == payload["label"]["name"]
        case MergeTrigger():
            assert payload["pull_request"]["merged"] is True
    if trigger is not None:
        assert trigger.repository == payload["repository"]["full_name"]
