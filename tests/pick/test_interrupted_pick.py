"""A server that goes away within a pick gives an error, and never another answer than a whole mirror gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import GitError
from bot.git import connection
from bot.git.mirror import open_mirror
from bot.models import Conflict, MergeMethod, Sha, TargetPlan
from bot.pick.caches import PickCaches
from bot.pick.ladder import pick
from tests.git.history import COMMITTER, History

_SERVER = """#!/bin/sh
left=$(cat {0}/left)
if [ "$left" -le 0 ]; then echo "HTTP 500" >&2; exit 1; fi
echo $((left - 1)) > {0}/left
exec git-upload-pack "$@"
"""
_PLENTY = 100


def _plan(history: History) -> TargetPlan:
    """base ── first, which adds a line ── three others ── original (main), which changes it; base ── own (release)"""
    base = history.commit({"f": "1\n2\n3\n", "g": "g\n"})
    first = history.commit({"f": "1\n2\nnew line\n3\n"}, base)
    others = first
    for number in range(3):
        others = history.commit({"h": f"{number}\n"}, others)
    original = history.branch("main", history.commit({"f": "1\n2\nnewer line\n3\n"}, others))
    tip = history.branch("release", history.commit({"g": "own\n"}, base))
    return TargetPlan(
        branch="release",
        base_commit=tip,
        backport_branch="b",
        commits=(original,),
        merge_method=MergeMethod.SQUASH,
    )


def _pick(history: History, plan: TargetPlan, directory: Path, requests: int) -> object:
    """Pick in a new mirror whose server answers so many requests."""
    directory.mkdir()
    server, left = directory / "server", directory / "left"
    server.write_text(_SERVER.format(directory))
    server.chmod(0o755)
    left.write_text(str(requests))
    with open_mirror(history.directory.as_uri(), directory / "mirror.git", partial=True) as mirror:
        mirror.git.run("config", "remote.origin.uploadpack", str(server))
        try:
            mirror.fetch([*plan.commits, plan.base_commit])
            return pick(mirror, plan, patches={}, committer=COMMITTER, caches=PickCaches())
        except GitError as error:
            return error


def test_a_server_that_goes_away_at_any_request_changes_no_answer(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_PAUSES", (0.0, 0.0))
    for key in ("allowFilter", "allowAnySHA1InWant"):
        history.git("config", f"uploadpack.{key}", "true")
    plan = _plan(history)
    conflict = _pick(history, plan, tmp_path / "all", _PLENTY)
    assert isinstance(conflict, Conflict)
    assert [entry.sha for entry in conflict.prerequisites] == [Sha(history.git("rev-parse", "main~4"))]
    needed = _PLENTY - int((tmp_path / "all" / "left").read_text())
    assert needed > 3, "the explanation of a conflict has requests of its own"
    for requests in range(needed):
        ending = _pick(history, plan, tmp_path / str(requests), requests)
        assert isinstance(ending, GitError), f"after {requests} requests"
