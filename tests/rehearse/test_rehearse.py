"""The command: what it prints, that it knows nothing too early, goes on where it was, leaves the repository alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from bot.errors import GitError
from bot.rehearse.rehearsal import rehearse, without_interrupts
from bot.rehearse.summary import summarize
from tests.git.history import History

BASE = "".join(f"line {number}\n" for number in range(20))
OTHER = BASE.replace("line 5\n", "line 5 of 1.x\n")
FIXED = BASE.replace("line 5\n", "line five\n")
KEYS = {
    *("pairs", "clean_identical", "clean_different", "conflicts", "right", "wrong", "certain", "certain_right"),
    *("picks_per_second", "rungs"),
}


def pick_message(sha: str) -> str:
    return f"Fix\n\n(cherry picked from commit {sha})"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep records in the test's own directory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def past(history: History) -> History:
    """Five backports.

    base ── clean ── edited ── contested (main)
    base ── clean, edited in another way (1.x)
    base ── other ── contested as people resolved it (2.x); then the same on 3.x, where the conflict is the same
    """
    base = history.commit({"f": BASE, "g": "g\n", "h": "h\n"})
    clean = history.commit({"g": "G\n"}, base)
    edit = history.commit({"h": "H\n"}, clean)
    conflict = history.branch("main", history.commit({"f": FIXED}, edit))
    first_pick = history.commit({"g": "G\n"}, base, message=pick_message(clean))
    history.branch("1.x", history.commit({"h": "H as people like it\n"}, first_pick, message=pick_message(edit)))
    diverged = history.commit({"f": OTHER}, base)
    resolution = {"f": OTHER.replace("line 5", "line five")}
    history.branch("2.x", history.commit(resolution, diverged, message=pick_message(conflict)))
    third = history.commit({"new": "n"}, diverged)
    history.branch("3.x", history.commit(resolution, third, message=pick_message(conflict)))
    return history


def run(past: History, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bot", "rehearse", str(past.directory), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "100"})


def test_json_ends_with_a_summary_of_exactly_these_keys(past: History) -> None:
    result = run(past, "--json")
    assert result.returncode == 0, result.stderr
    output = json.loads(result.stdout)
    assert list(output)[-1] == "summary"
    summary = output["summary"]
    assert set(summary) == KEYS
    assert {key: summary[key] for key in KEYS - {"picks_per_second", "rungs"}} == {
        "pairs": 4,
        "clean_identical": 1,
        "clean_different": 1,
        "conflicts": 2,
        "right": 1,
        "wrong": 0,
        "certain": 1,
        "certain_right": 1,
    }
    assert all(set(rung) == KEYS - {"rungs"} for rung in summary["rungs"].values())
    assert summary["picks_per_second"] > 0


def test_table_and_page_tell_what_differs(past: History, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    result = run(past, "--html", str(page))
    assert result.returncode == 0, result.stderr
    assert "2 picks of 4 applied cleanly, 1 of them exactly as people landed them." in result.stdout
    assert "2 conflicts: 1 resolved (50.0 %), 1 of them as people did (100.0 %)." in result.stdout
    text = page.read_text()
    assert "H as people like it" in text
    assert '<dl class="bars"' in text
    assert "<script" not in text


def test_only_what_was_known_then_is_known(past: History) -> None:
    """The first of the two equal conflicts has nothing to learn from; the second has the first."""
    by_branch = {replay.pair.branch: replay for replay in rehearse(past.directory, processes=1).replays if replay.files}
    assert by_branch["2.x"].ending == "conflict"
    assert (by_branch["3.x"].ending, by_branch["3.x"].right) == ("resolved", True)


def test_rehearsal_writes_nothing_into_the_repository(past: History) -> None:
    def content() -> dict[Path, bytes | None]:
        return {path: path.read_bytes() if path.is_file() else None for path in past.directory.rglob("*")}

    before = content()
    rehearse(past.directory, processes=1)
    assert content() == before


def test_second_run_replays_nothing_again(past: History) -> None:
    calls: list[tuple[int, int]] = []
    first = rehearse(past.directory, processes=1, limit=2)
    second = rehearse(past.directory, processes=1, progress=lambda count, total: calls.append((count, total)))
    assert calls == [(2, 4), (4, 4)]
    assert second.replays[:2] == first.replays
    assert summarize(second).all.pairs == 4


def test_checkout_is_rehearsed_like_a_bare_repository(past: History, tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "--quiet", str(past.directory), str(tmp_path / "clone")], check=True)
    assert summarize(rehearse(tmp_path / "clone", processes=1)).all.pairs == 4


def test_directory_without_a_repository_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "bot", "rehearse", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert "There is no git repository" in result.stderr
    assert "Give a checkout or a git directory" in result.stderr


def test_a_shallow_clone_is_told_how_to_become_whole(past: History, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    past.git("clone", "--quiet", "--depth=1", "--no-single-branch", past.directory.as_uri(), str(shallow), bare=False)
    with pytest.raises(GitError, match="shallow") as error:
        rehearse(shallow, processes=1)
    assert "--unshallow" in error.value.hint


def test_ctrl_c_is_left_to_the_process_that_started_the_others() -> None:
    """It reaches all of them: each printed a traceback of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        with without_interrupts():
            signals = pool.submit(signal.pthread_sigmask, signal.SIG_BLOCK, [])
        assert signal.SIGINT in signals.result()
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_page_shows_foreign_text_as_text(history: History, tmp_path: Path) -> None:
    base = history.commit({"f": BASE})
    original = history.branch("main", history.commit({"f": FIXED}, base))
    evil = BASE.replace("line 5\n", "<script>alert(1)</script>\n")
    history.branch("1.x", history.commit({"f": evil}, base, message=pick_message(original)))
    page = tmp_path / "page.html"
    assert run(history, "--html", str(page)).returncode == 0
    assert "&lt;script&gt;alert(1)" in page.read_text()
    assert "<script" not in page.read_text()
