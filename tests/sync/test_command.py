"""`sync --git`: a clone looked at by git alone, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.errors import BackportError, ConfigError, GitError
from bot.git.commit_message import backport_message
from bot.models import Sha
from bot.sync.lock import only_one
from tests.git.history import History

LINES = "".join(f"{number}\n" for number in range(30))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "backport.yaml"
    path.write_text("repository: a/b\nsync: {rules: [{titles: ['fix*']}]}\n")
    return path


@pytest.fixture
def clone(history: History) -> Path:
    """base ── Fix one (#1) ── Fix two (#2), on the same lines ── Add (#3) (main);  base ── Fix one, picked (release/1)
    base (release/2)
    """
    base = history.commit({"f": LINES})
    first_fix = history.commit({"f": LINES.replace("3\n", "three\n", 1)}, base, message="Fix one (#1)")
    two = history.commit({"f": LINES.replace("3\n", "THREE\n", 1)}, first_fix, message="Fix two (#2)")
    history.branch("main", history.commit({"g": "g\n"}, two, message="Add (#3)"))
    picked_commit = history.commit(
        {"f": LINES.replace("3\n", "three\n", 1)}, base, message=backport_message("Fix", [first_fix])
    )
    history.branch("release/1", picked_commit)
    history.branch("release/2", base)
    return history.directory


def run(*arguments: object) -> dict[str, dict[str, str]]:
    """Run the command and return the states by branch and original."""
    result = CliRunner().invoke(app, ["sync", "--json", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    return {
        branch["branch"]: {first_fix["original"]: first_fix["state"] for first_fix in branch["standings"]}
        | dict.fromkeys(branch["not_asked"], "")
        for branch in data["branches"]
    }


def test_every_original_has_one_state_on_every_branch(clone: Path, config: Path, tmp_path: Path) -> None:
    assert run("--git", clone, "--config", config, "--data", tmp_path / "data") == {
        "release/2": {"#1": "missing and clean", "#2": "missing, needs another first", "#3": ""},
        "release/1": {"#1": "on the branch", "#2": "missing and clean", "#3": ""},
    }


def test_a_fix_of_what_a_commit_only_names_may_be_needed(history: History, config: Path, tmp_path: Path) -> None:
    """base ── "Fix one (#1)" ── "Fix it again (#2)", which fixes #1 (main);  base ── a commit that names #1 (release/1)
    base (release/2)
    """
    base = history.commit({"f": LINES})
    original = history.commit({"f": LINES.replace("3\n", "three\n", 1)}, base, message="Fix one (#1)")
    again_text = f"Fix it again (#2)\n\nFixes: {original}"
    history.branch("main", history.commit({"g": "g\n"}, original, message=again_text))
    message = backport_message("Fix one", [original])
    history.branch("release/1", history.commit({"f": LINES.replace("20\n", "twenty\n")}, base, message=message))
    history.branch("release/2", base)
    states = run("--git", history.directory, "--config", config, "--data", tmp_path / "data")
    assert (states["release/1"]["#2"], states["release/2"]["#2"]) == ("missing and clean", "not affected")


@pytest.mark.parametrize(
    ("rule", "state"),
    [("titles: ['fix*']", "named, but not the same change"), ("pull_requests: [1]", "missing and clean")],
)
def test_what_a_commit_names_without_making_its_change_is_for_a_person_unless_a_rule_names_it(
    history: History, clone: Path, config: Path, tmp_path: Path, rule: str, state: str
) -> None:
    """base ── a commit that names "Fix one (#1)" and changes another line (release/2)"""
    base, original = (Sha(history.git("rev-parse", name)) for name in ("release/2", "main~2"))
    message = backport_message("Fix one", [original])
    history.branch("release/2", history.commit({"f": LINES.replace("20\n", "twenty\n")}, base, message=message))
    config.write_text(f"repository: a/b\nsync: {{rules: [{{{rule}}}]}}\n")
    assert run("--git", clone, "--config", config, "--data", tmp_path / "data")["release/2"]["#1"] == state


@pytest.mark.parametrize(("limit", "state"), [(0, "conflict"), (1, "missing, needs another first")])
def test_prerequisites_are_looked_for_as_configured(
    clone: Path, config: Path, tmp_path: Path, limit: int, state: str
) -> None:
    config.write_text(f"{config.read_text()}pick: {{max_prerequisites: {limit}}}\n")
    assert run("--git", clone, "--config", config, "--data", tmp_path / "data")["release/2"]["#2"] == state


def test_what_is_left_out_is_neither_missing_nor_missed(history: History, config: Path, tmp_path: Path) -> None:
    """base ── "Fix one (#1)", of the code and a long workflow ── "Fix two (#2)", of the workflow alone (main)
    base ── "Fix one", picked without the workflow (release/1)
    base ── another workflow (release/2)
    """
    workflow, fixed = ".github/workflows/test.yml", LINES.replace("3\n", "three\n", 1)
    base = history.commit({"f": LINES, workflow: LINES})
    one = history.commit({"f": fixed, workflow: f"{LINES.upper()}{LINES}new\n" * 3}, base, message="Fix one (#1)")
    history.branch("main", history.commit({workflow: "two\n"}, one, message="Fix two (#2)"))
    history.branch("release/1", history.commit({"f": fixed}, base, message=backport_message("Fix one", [one])))
    history.branch("release/2", history.commit({workflow: "other\n"}, base))
    arguments = ("--git", history.directory, "--config", config, "--data", tmp_path / "data")
    states = run(*arguments)
    assert states["release/1"]["#1"] == "named, but not the same change"
    assert states["release/2"]["#1"] != "missing and clean"
    config.write_text(f"{config.read_text()}pick: {{leave_out: ['.github/**']}}\n")
    assert run(*arguments) == {
        "release/1": {"#1": "on the branch", "#2": "nothing left to bring"},
        "release/2": {"#1": "missing and clean", "#2": "nothing left to bring"},
    }


def test_without_rules_nothing_is_said_to_be_missing_or_not(clone: Path, tmp_path: Path) -> None:
    plain_text = tmp_path / "bare.yaml"
    plain_text.write_text("repository: a/b\n")
    words = ["sync", "--git", str(clone), "--config", str(plain_text), "--data", str(tmp_path / "data")]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert "Nothing is missing" not in result.output
    assert "release/2: No rule asks for any of 3 originals: `sync.rules` says what belongs here." in result.output


def test_a_folder_of_patches_that_is_not_there_is_an_error(clone: Path, config: Path, tmp_path: Path) -> None:
    config.write_text(f"{config.read_text()}patches: [nowhere]\n")
    with pytest.raises(ConfigError, match="nowhere, which is no folder") as error:
        run("--git", clone, "--config", config, "--data", tmp_path / "data")
    assert "Correct `patches`" in error.value.hint


def test_the_clone_is_not_written_to(clone: Path, config: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in clone.rglob("*") if path.is_file()}
    run("--git", clone, "--config", config, "--data", tmp_path / "data")
    assert {path: path.read_bytes() for path in clone.rglob("*") if path.is_file()} == before


def test_the_report_and_the_run_s_page_are_written(
    clone: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    report = tmp_path / "report"
    run("--git", clone, "--config", config, "--data", tmp_path / "data", "--report", report)
    assert "Fix two" in (report / "index.html").read_text()
    assert len(json.loads((report / "sync.json").read_text())["branches"]) == 2
    assert "missing and clean" in (tmp_path / "summary.md").read_text()


def test_a_glob_narrows_the_branches_down(clone: Path, config: Path, tmp_path: Path) -> None:
    assert list(run("--git", clone, "--config", config, "--data", tmp_path, "--branch", "release/2")) == ["release/2"]


def test_a_shallow_clone_is_told_of(history: History, clone: Path, config: Path, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow.git"
    history.git("clone", "--quiet", "--mirror", "--depth=1", f"file://{clone}", str(shallow), bare=False)
    with pytest.raises(GitError) as error:
        run("--git", shallow, "--config", config, "--data", tmp_path / "data")
    assert "shallow" in error.value.message
    assert "--unshallow" in error.value.hint


def test_a_run_that_overlaps_another_does_nothing(clone: Path, config: Path, tmp_path: Path) -> None:
    with only_one(tmp_path / "data"), pytest.raises(BackportError, match="Another sync is at work"):
        run("--git", clone, "--config", config, "--data", tmp_path / "data")


def test_without_a_token_github_is_not_asked(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BACKPORT_BOT_TOKEN", raising=False)
    with pytest.raises(ConfigError, match="BACKPORT_BOT_TOKEN is not set"):
        run("--config", config, "--data", tmp_path / "data")


def test_nothing_can_be_opened_without_github(clone: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["sync", "--git", str(clone), "--open", "--data", str(tmp_path / "data")])
    assert result.exit_code == 2
    assert not (tmp_path / "data").exists()
