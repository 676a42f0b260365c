"""`backport-bot init` in checkouts of different projects."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.adoption.published_version import commit_of_tag
from bot.adoption.workflow_file import PATH, PATH_BESIDE, render_workflow
from bot.cli import app
from bot.config import load_config
from tests.actions.runner import ROOT
from tests.pipeline.office import commit, git

Checkout = Callable[..., Path]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Return a function that clones a repository with these branches besides main."""

    def make(*branches: str) -> Path:
        server = tmp_path / "server"
        server.mkdir()
        git(server, "init", "--quiet", "--initial-branch=main")
        commit(server, "Begin", {"README": "hello\n"})
        for branch in branches:
            git(server, "branch", branch)
        git(tmp_path, "clone", "--quiet", str(server), str(tmp_path / "clone"))
        git(tmp_path / "clone", "remote", "set-url", "origin", "git@github.com:acme/widget.git")
        return tmp_path / "clone"

    return make


def run(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["init", str(folder), *options])


def files(folder: Path) -> dict[str, str]:
    changed = git(folder, "status", "--porcelain", "--untracked-files=all").splitlines()
    return {line[3:]: (folder / line[3:]).read_text() for line in changed}


def test_in_a_fork_the_branches_are_those_of_the_project(checkout: Checkout, tmp_path: Path) -> None:
    folder = checkout("fix-1")
    git(folder, "remote", "set-url", "origin", "git@github.com:olga/widget.git")
    git(folder, "remote", "add", "upstream", "https://github.com/acme/widget.git")
    result = run(folder, "--dry-run")
    assert "acme/widget on github.com" in result.output
    assert "none is known here" in result.output
    assert "`git fetch upstream` brings those of the project" in result.output
    git(tmp_path / "server", "branch", "stable-1.x")
    git(folder, "fetch", "--quiet", str(tmp_path / "server"), "refs/heads/*:refs/remotes/upstream/*")
    result = run(folder, "--dry-run")
    assert "Release branches: stable-* (1 branch, e.g. stable-1.x)\n" in result.output, result.output[:600]
    assert "Default branch: main" in result.output


def test_test_files_of_python_tell_by_themselves(checkout: Checkout) -> None:
    folder = checkout()
    (folder / "tests").mkdir()
    (folder / "tests/test_ring.py").write_text("import unittest\n")
    assert "Tests: pytest, by tests/test_ring.py" in run(folder, "--dry-run").output


def test_one_file_is_enough_where_the_defaults_fit(checkout: Checkout) -> None:
    folder = checkout("release/1.0", "release/1.1", "topic")
    result = run(folder)
    assert result.exit_code == 0, result.output
    assert files(folder) == {PATH: render_workflow()}
    assert "acme/widget on github.com" in result.output
    assert "Default branch: main" in result.output
    assert "release/* (2 branches" in result.output
    assert "https://github.com/acme/widget/settings/actions" in result.output


def test_other_release_branches_become_the_configuration(checkout: Checkout) -> None:
    folder = checkout("stable-1.0", "stable-1.1", "v2.x", "topic", "backport/7-to-stable-1.0")
    assert run(folder).exit_code == 0
    assert load_config(folder / "backport.yaml", repository="acme/widget").branches == ("stable-*", "v*")


def test_a_folder_below_the_top_and_globs_of_ones_own(checkout: Checkout) -> None:
    folder = checkout()
    (folder / "src").mkdir()
    assert run(folder / "src", "--branches", "maint/**", "--branches", "lts").exit_code == 0
    assert load_config(folder / "backport.yaml", repository="acme/widget").branches == ("maint/**", "lts")


@pytest.mark.parametrize(
    ("file", "text", "framework"),
    [
        ("pyproject.toml", "[tool.pytest.ini_options]\n", "pytest, by pyproject.toml"),
        ("tox.ini", "[testenv]\ncommands = python -m unittest\n", "tox, by tox.ini"),
        ("package.json", '{"scripts": {"test": "node --test"}}', "npm, by package.json"),
        ("manage.py", "import django\n", "django, by manage.py"),
        ("go.mod", "module example.com/widget\n", "go, by go.mod"),
        ("README", "hello\n", "no file tells"),
    ],
)
def test_what_runs_the_tests_is_told(checkout: Checkout, file: str, text: str, framework: str) -> None:
    folder = checkout()
    (folder / file).write_text(text)
    assert f"Tests: {framework}" in run(folder, "--dry-run").output


def test_on_a_server_of_ones_own_the_bot_has_to_be_copied_there(checkout: Checkout) -> None:
    folder = checkout()
    assert "--bot" not in run(folder, "--dry-run").output
    git(folder, "remote", "set-url", "origin", "git@github.example:acme/widget.git")
    result = run(folder, "--dry-run", "--bot", "tools/bot", "--ref", "v1.2.0")
    assert "name it with --bot" in result.output
    assert "uses: tools/bot/.github/workflows/backport.yml@v1.2.0" in result.output


def test_a_configuration_is_written_if_it_is_wanted(checkout: Checkout) -> None:
    folder = checkout()
    assert run(folder, "--with-config").exit_code == 0
    assert load_config(folder / "backport.yaml", repository="a/b").branches == ("release/*",)


def test_a_dry_run_prints_the_files_and_writes_none(checkout: Checkout) -> None:
    folder = checkout("stable-1.0")
    result = run(folder, "--dry-run")
    assert result.exit_code == 0
    assert render_workflow() in result.output
    assert 'branches: ["stable-*"]' in result.output
    assert files(folder) == {}


def test_what_is_there_stays_and_the_difference_is_told(checkout: Checkout) -> None:
    folder = checkout()
    (folder / PATH).parent.mkdir(parents=True)
    mine = render_workflow().replace("name: Backport", "name: Mine")
    (folder / PATH).write_text(mine)
    result = run(folder)
    assert result.exit_code == 1
    assert (folder / PATH).read_text() == mine
    assert "-name: Mine" in result.output
    (folder / PATH).write_text(render_workflow())
    assert run(folder).exit_code == 0


def test_a_file_of_another_tool_keeps_its_name(checkout: Checkout) -> None:
    folder = checkout("release/1.0")
    (folder / PATH).parent.mkdir(parents=True)
    (folder / PATH).write_text("jobs: {a: {steps: [{uses: other/backport@v2}]}}\n")
    result = run(folder)
    assert result.exit_code == 0, result.output
    assert files(folder)[PATH_BESIDE] == render_workflow()
    assert "other/backport" in (folder / PATH).read_text()
    assert "another tool's and stays" in result.output


def test_nothing_is_written_through_a_link(checkout: Checkout, tmp_path: Path) -> None:
    folder = checkout()
    (folder / PATH).parent.mkdir(parents=True)
    (folder / PATH).symlink_to(tmp_path / "elsewhere.yml")
    with pytest.raises(FileExistsError):
        CliRunner().invoke(app, ["init", str(folder)], catch_exceptions=False)
    assert not (tmp_path / "elsewhere.yml").exists()


def test_a_folder_without_a_checkout_is_an_error(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.exit_code != 0
    assert not list(tmp_path.iterdir())


def test_a_glob_that_is_none_is_refused(checkout: Checkout) -> None:
    folder = checkout()
    assert run(folder, "--branches", "a b").exit_code == 2
    assert files(folder) == {}


def read_until(terminal: int, text: str) -> None:
    seen = ""
    while text not in seen:
        seen += os.read(terminal, 4096).decode(errors="replace")


@pytest.mark.parametrize(("answer", "written"), [(b"y", True), (b"n", False)], ids=["yes", "no"])
def test_a_terminal_is_asked(checkout: Checkout, answer: bytes, written: bool) -> None:
    """A real terminal: what was found is changed, and the files are written only after a yes."""
    folder = checkout("stable-1.0")
    ours, theirs = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder), "TERM": "xterm"}
    command = [sys.executable, "-m", "bot", "init", str(folder)]
    process = subprocess.Popen(command, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, env=environment)
    os.close(theirs)
    try:
        read_until(ours, "Which branches are stable?")
        os.write(ours, b" lts/*\r")
        read_until(ours, "Write .github/workflows/backport.yml and backport.yaml?")
        os.write(ours, answer)
        process.communicate(timeout=300)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert (folder / PATH).exists() == written
    if written:
        assert load_config(folder / "backport.yaml", repository="a/b").branches == ("stable-*", "lts/*")


def test_a_pinned_version_is_the_commit_that_the_server_names(
    tmp_path: Path,
) -> None:
    server = tmp_path / "bot"
    server.mkdir()
    git(server, "init", "--quiet", "--initial-branch=main")
    commit(server, "Release", {"a": "1\n"})
    git(server, "tag", "--annotate", "--message", "one", "v1.0.0")
    git(server, "tag", "light")
    tip = git(server, "rev-parse", "HEAD")
    assert commit_of_tag(str(server), "v1.0.0") == tip
    assert commit_of_tag(str(server), "light") == tip
