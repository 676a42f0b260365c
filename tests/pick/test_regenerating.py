"""Generated files written anew: by a command of the project's own, inside walls, where they conflict."""

from __future__ import annotations

import pytest

from bot.config import parse_config
from bot.git.repository import Repository
from bot.models import AlreadyApplied, Candidate, Certainty, Conflict, NothingLeft
from bot.pick.context import PickContext
from bot.pick.ladder import pick
from bot.pipeline.regenerate_files import Tool, Tools, tools_for
from bot.proof.isolated_command import DEFAULT
from tests.git.history import COMMITTER, History
from tests.pick.plans import plan

LOCK = "import hashlib, pathlib; wanted = pathlib.Path('deps').read_bytes(); "
WRITE = LOCK + "pathlib.Path('deps.lock').write_text(hashlib.sha256(wanted).hexdigest())"
NAMES = [f"lib{number}\n" for number in range(12)]


def _tools(code: str, timeout: float = 60) -> Tools:
    tool = Tool(paths=("*.lock",), command=("{python}", "-c", code), timeout=timeout)
    return Tools(tools=(tool,), isolation=DEFAULT)


def _pick(
    history: History, repository: Repository, tools: Tools | None
) -> Candidate | Conflict | AlreadyApplied | NothingLeft:
    """base ── original, which adds a dependency (main); base ── tip, which adds another (release)"""
    base = history.commit({"deps": "".join(NAMES), "deps.lock": "of base"})
    original = history.commit({"deps": "".join(["first\n", *NAMES]), "deps.lock": "of main"}, base)
    tip = history.commit({"deps": "".join([*NAMES, "last\n"]), "deps.lock": "of release"}, base)
    return pick(repository, plan(tip, original), patches={}, committer=COMMITTER, regenerator=tools)


def test_lock_file_is_written_from_what_was_merged(history: History, repository: Repository) -> None:
    result = _pick(history, repository, _tools(WRITE))
    assert isinstance(result, Candidate)
    expected = "".join(["first\n", *NAMES, "last\n"])
    assert history.show(result.commit, "deps") == expected.rstrip("\n")
    assert len(history.show(result.commit, "deps.lock")) == 64
    assert result.certainty is Certainty.PROPOSED
    (resolution,) = result.resolutions
    assert (resolution.path, resolution.ours) == ("deps.lock", b"of release")
    assert "written again by" in resolution.how


def test_without_a_tool_it_stays_a_conflict(history: History, repository: Repository) -> None:
    assert isinstance(_pick(history, repository, None), Conflict)


def test_of_what_a_tool_writes_only_its_own_paths_are_taken(history: History, repository: Repository) -> None:
    code = WRITE + "; pathlib.Path('deps').write_text('bad'); pathlib.Path('x.lock').write_text('new')"
    result = _pick(history, repository, _tools(code))
    assert isinstance(result, Candidate)
    assert set(result.files) == {"deps", "deps.lock", "x.lock"}
    assert "bad" not in history.show(result.commit, "deps")


@pytest.mark.parametrize(
    ("code", "timeout", "text"),
    [
        pytest.param("raise SystemExit('no registry')", 60, "exited with 1: no registry", id="it fails"),
        pytest.param("import time; time.sleep(60)", 0.5, "was stopped after 0.5 s", id="it hangs"),
        pytest.param(
            "import os; os.remove('deps.lock'); os.symlink('/etc/passwd', 'deps.lock')",
            60,
            "became a link",
            id="a link",
        ),
        pytest.param("import os; os.remove('deps.lock'); os.mkfifo('deps.lock')", 60, "a pipe", id="a pipe"),
        pytest.param("import os; os.link('deps.lock', 'other')", 60, "deps.lock became", id="a file with two names"),
        pytest.param("open('deps.lock', 'wb').truncate(1 << 31)", 60, "larger than 200 MB", id="a sparse file"),
        pytest.param(
            "[open(f'{number}.lock', 'wb').write(bytes(30_000_000)) for number in range(8)]",
            60,
            "larger than 200 MB",
            id="several large files",
        ),
    ],
)
def test_conflict_tells_why_nothing_was_written(
    history: History, repository: Repository, code: str, timeout: float, text: str
) -> None:
    result = _pick(history, repository, _tools(code, timeout))
    assert isinstance(result, Conflict)
    assert text in result.rungs[-1].detail


def test_tool_sees_no_token(history: History, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKPORT_BOT_TOKEN", "secret")
    code = "import os, pathlib; pathlib.Path('deps.lock').write_text(repr(dict(os.environ)))"
    result = _pick(history, repository, _tools(code))
    assert isinstance(result, Candidate)
    assert "secret" not in history.show(result.commit, "deps.lock")


@pytest.mark.parametrize(("runner", "runs"), [("local", True), ("github-actions", False)])
def test_tools_run_only_where_suites_run(repository: Repository, runner: str, runs: bool) -> None:
    text = (
        "repository: acme/ring\n"
        f"prove: {{runner: {runner}}}\n"
        "pick: {generated: [{paths: [web/yarn.lock], command: [yarn, install], timeout_minutes: 5}]}\n"
    )
    context = PickContext(mirror=repository, config=parse_config(text), patches={})
    tools = tools_for("release/1", context)
    assert (tools is not None) is runs
    if tools is not None:
        assert tools.covers("web/yarn.lock")
        assert not tools.covers("yarn.lock")
        assert tools.tools[0].timeout == 300


def test_a_folder_that_becomes_a_link_deletes_nothing(history: History, repository: Repository) -> None:
    base = history.commit({"deps": "".join(NAMES), "locks/deps.lock": "of base"})
    original = history.commit({"deps": "".join(["first\n", *NAMES]), "locks/deps.lock": "of main"}, base)
    tip = history.commit({"deps": "".join([*NAMES, "last\n"]), "locks/deps.lock": "of release"}, base)
    code = "import os; os.rename('locks', 'away'); os.symlink('away', 'locks')"
    tool = Tool(paths=("locks/*.lock",), command=("{python}", "-c", code), timeout=60)
    tools = Tools(tools=(tool,), isolation=DEFAULT)
    result = pick(repository, plan(tip, original), patches={}, committer=COMMITTER, regenerator=tools)
    assert isinstance(result, Conflict)
    assert "locks became a link" in result.rungs[-1].detail
