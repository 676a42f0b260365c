"""Fetches and pushes through GitPython keep what our own processes promise: no secret, no caller, no lost message."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.errors import PushForbidden
from bot.git import process, transfer_output
from bot.git.mirror import open_mirror
from bot.git.repository import Repository
from bot.models import Sha
from tests.git.history import History

TOKEN = "ghs_very-secret"


@pytest.fixture
def tip(history: History) -> Sha:
    """Return the tip of main."""
    return history.branch("main", history.commit({"f": "f"}))


def _refuse(history: History, script: str) -> None:
    hook = history.directory / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{script}\nexit 1\n")
    hook.chmod(0o755)


def test_a_token_is_in_no_argument_of_a_fetch_or_a_push(
    history: History, tip: Sha, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes: list[tuple[Sequence[str], Mapping[str, str]]] = []

    def popen(command: Sequence[str], *, env: Mapping[str, str], **options: Any) -> subprocess.Popen[Any]:
        processes.append((command, env))
        return subprocess.Popen(command, env=env, **options)

    monkeypatch.setattr(process, "Popen", popen)
    with open_mirror(history.directory.as_uri(), tmp_path / "mirror.git", token=TOKEN) as mirror:
        mirror.fetch([tip])
        mirror.push(tip, "backport/1", expected=None)
        mirror.delete_branch("backport/1", expected=tip)
    with_token = [command for command, env in processes if "GIT_CONFIG_VALUE_0" in env]
    assert sum("fetch" in command for command in with_token) == 1
    assert sum("push" in command for command in with_token) == 2
    assert not any(TOKEN in argument for command, _ in processes for argument in command)


def test_a_fetch_and_a_push_see_nothing_of_the_caller_s_environment(history: History, tip: Sha, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from bot.git.mirror import open_mirror\n"
        "with open_mirror(sys.argv[1], Path(sys.argv[2])) as mirror:\n"
        "    mirror.fetch([sys.argv[3]])\n"
        "    mirror.push(sys.argv[3], 'backport/1', expected=None)\n"
        "    print(mirror.objects, mirror.default_branch(), *sorted(mirror.branches()))\n"
    )
    elsewhere, trace, mirror = str(tmp_path / "elsewhere"), tmp_path / "trace", tmp_path / "mirror.git"
    names = ("GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_EXEC_PATH", "GIT_INDEX_FILE")
    variables = {**dict.fromkeys(names, elsewhere), "GIT_TRACE": str(trace), "GIT_CONFIG_PARAMETERS": "'a.b=broken"}
    result = subprocess.run(
        [sys.executable, "-c", program, history.directory.as_uri(), str(mirror), tip],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.split() == [str(mirror / "objects"), "master", "backport/1", "main"], result.stderr
    # GitPython itself asks for git's version when it is imported.
    assert "fetch" not in trace.read_text()


def test_words_of_a_server_that_are_no_utf8_are_quoted(history: History, tip: Sha, repository: Repository) -> None:
    with open_mirror(history.directory.as_uri(), history.directory.with_name("mirror.git")) as mirror:
        mirror.fetch([tip])
        _refuse(history, r"printf 'Limit: 12 caf\351s\n' >&2")
        with pytest.raises(PushForbidden, match="Limit: 12 caf"):
            mirror.push(tip, "backport/1", expected=None)


def test_what_a_server_sends_is_not_logged(
    history: History, tip: Sha, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_mirror(history.directory.as_uri(), tmp_path / "mirror.git") as mirror:
        mirror.fetch([tip])
        _refuse(history, f"echo 'error: {TOKEN}' >&2")
        with pytest.raises(PushForbidden):
            mirror.push(tip, "backport/1", expected=None)
    assert TOKEN not in caplog.text


def test_a_long_fetch_reports_its_progress(
    history: History, tip: Sha, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(transfer_output, "_PAUSE", 0.0)
    with open_mirror(history.directory.as_uri(), tmp_path / "mirror.git", progress=lines.append) as mirror:
        mirror.git.run("config", "fetch.unpackLimit", "1")  # as if there were many objects
        mirror.fetch([tip])
    assert "Counting objects: 3 of 3" in lines
    assert any(line.startswith("Receiving objects: 3 of 3") for line in lines)


def test_a_short_fetch_reports_nothing(history: History, tip: Sha, tmp_path: Path) -> None:
    lines: list[str] = []
    with open_mirror(history.directory.as_uri(), tmp_path / "mirror.git", progress=lines.append) as mirror:
        mirror.fetch([tip])
    assert lines == []


def test_nobody_else_may_read_what_a_fetch_leaves(history: History, tip: Sha, tmp_path: Path) -> None:
    with open_mirror(history.directory.as_uri(), tmp_path / "mirror.git") as mirror:
        mirror.fetch([tip])
    files = [path for path in (tmp_path / "mirror.git").rglob("*") if path.is_file()]
    assert {path.name for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077} <= {"HEAD", "config"}
