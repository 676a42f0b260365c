"""A request and its targets can be written down, and come back as what they were."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.commands.parser import parse_commands
from bot.models import BackportOptions, Failed, MergeMethod, PullRequest, Sha, Target, TargetPlan
from bot.pipeline.request import BackportRequest
from bot.pipeline.result_store import MemoryStore
from bot.pipeline.run import RequestRun
from tests.pipeline.office import Office

COMMIT = Sha("a" * 40)
ORIGINAL = PullRequest(
    number=7,
    title="Size the ring by entry",
    body="",
    author="ann",
    state="closed",
    draft=False,
    base="main",
    head="topic-7",
    head_sha=COMMIT,
    url="https://github.com/acme/widget/pull/7",
    merged=True,
    merge_commit=COMMIT,
)


def _request(command: str, *, key: str = "comment-31-0") -> BackportRequest:
    (parsed,) = parse_commands(command)
    return BackportRequest(
        key=key,
        command=command,
        requester="mia",
        labelled_at=datetime(2026, 1, 1, tzinfo=UTC),
        original=ORIGINAL,
        merge_method=MergeMethod.SQUASH,
        commits=(COMMIT,),
        options=parsed.options,
    )


def test_a_target_in_another_repository_is_never_picked_in_this_one(office: Office) -> None:
    run, target = (
        RequestRun(_request("/backport acme/rocm:release/1.2"), MemoryStore()),
        Target("acme/rocm", "release/1.2"),
    )
    plan = TargetPlan(
        branch="release/1.2",
        base_commit=COMMIT,
        backport_branch="b",
        commits=(COMMIT,),
        merge_method=MergeMethod.SQUASH,
    )
    run.store.keep_decision(target, plan)
    result = run.pick(target, office.context.pick)
    assert isinstance(result, Failed)
    assert "acme/rocm:release/1.2 is in another repository" in result.message


def test_a_request_comes_back_as_what_it_was() -> None:
    request = _request("/backport release/1.2 --draft --commits aaaaaaa")
    assert BackportRequest.model_validate_json(request.model_dump_json()) == request


def test_the_command_for_one_target_keeps_what_was_asked_for() -> None:
    request = _request("/backport release/1.2 release/1.1 --draft --commits aaaaaaa")
    (command,) = parse_commands(str(request.command_for("acme/rocm:main", redo=True)))
    assert command.targets == ("acme/rocm:main",)
    assert command.commits == ("aaaaaaa",)
    assert command.options == BackportOptions(draft=True, redo=True)


@pytest.mark.parametrize(
    ("key", "comment_id"), [("comment-31-0", 31), ("label-release/1.2", None), ("", None)], ids=["comment", "label", ""]
)
def test_the_key_names_the_comment_that_asked(key: str, comment_id: int | None) -> None:
    assert _request("/backport release/1.2", key=key).comment_id == comment_id


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("release/1.2", Target(None, "release/1.2")),
        ("acme/rocm:release/1.2", Target("acme/rocm", "release/1.2")),
        ("a/b/c:main", Target(None, "a/b/c:main")),
    ],
)
def test_a_targets_name_comes_back_as_it_was_given(name: str, target: Target) -> None:
    assert Target.parse(name) == target
    assert str(target) == name
