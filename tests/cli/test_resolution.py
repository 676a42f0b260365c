"""A conflict that a person resolves in a worktree beside their clone, from the first command to the pull request."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.errors import ConfigError, RequestRejected
from bot.git.worktree import Worktree
from tests.cli.test_backport import Run, clone, pulls, run
from tests.pipeline.conftest import history, office
from tests.pipeline.landing import open_pull, write
from tests.pipeline.office import MAINTAINER, REPOSITORY, Office, git

__all__ = ["clone", "history", "office", "run"]

RESOLVED = "class Ring:\n    def allocate(self, slots, width):\n        self.entries = bytearray(slots * width)\n"


@pytest.fixture
def worktree(clone: Path, run: Run) -> Path:
    """#7 conflicts on release/1.1; its conflict is in this worktree."""
    _configure_identity(clone)
    result = run("--pr", 7, "release/1.1", "--resolve")
    assert result.exit_code == 1, result.output
    directory = clone.with_name("clone-backport-7-to-release-1.1")
    assert "with `--resolve` the conflict is in a worktree beside your clone" in result.stdout
    assert f"release/1.1: the conflict is in {directory}\n  both modified: widget/ring.py\n" in result.stderr
    assert f"cd {directory} && backport-bot backport --continue" in result.stderr
    return directory


def _configure_identity(clone: Path) -> None:
    git(clone, "config", "user.name", "Mia")
    git(clone, "config", "user.email", "mia@widget.example")


def _resolve(worktree: Path) -> None:
    (worktree / "widget/ring.py").write_text(RESOLVED)
    git(worktree, "add", "widget/ring.py")


def _refusal(result: Result) -> str:
    assert isinstance(result.exception, RequestRejected), result.output
    return str(result.exception)


def test_the_conflict_is_as_git_leaves_it(worktree: Path, clone: Path, office: Office) -> None:
    ours = worktree / "widget/ring.py"
    assert "<<<<<<< HEAD\n" in ours.read_text()
    stages = [line.split()[2] for line in git(worktree, "ls-files", "--unmerged").splitlines()]
    assert stages == ["1", "2", "3"]
    assert git(worktree, "rev-parse", "CHERRY_PICK_HEAD") == git(office.git_dir, "rev-parse", "pull-7^{commit}")
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "branch", "--list") == "* main"
    assert pulls(office) == {}


def test_what_is_resolved_is_proven_and_opened_and_the_worktree_goes(
    worktree: Path, office: Office, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(worktree)
    assert "widget/ring.py" in _refusal(run("--continue"))
    _resolve(worktree)
    monkeypatch.chdir(worktree.with_name("clone"))
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/other")
    other = worktree.with_name("other.yaml")
    other.write_text("repository: acme/other\n")
    office.fake_github.create_repository("acme/other")
    assert isinstance(run("--continue", "--config", other).exception, ConfigError)
    result = run("--continue")
    assert result.exit_code == 0, result.output
    assert pulls(office) == {"release/1.1": MAINTAINER}
    (pull,) = [
        pull
        for pull in office.people[MAINTAINER].get_repo(REPOSITORY).get_pulls()
        if pull.base.ref == "release/1.1" and pull.number > 11
    ]
    assert git(office.git_dir, "show", f"{pull.head.sha}:widget/ring.py") + "\n" == RESOLVED
    author, committer, message = git(office.git_dir, "log", "-1", "--format=%an%x00%cn%x00%B", pull.head.sha).split(
        "\0"
    )
    assert (author, committer) == ("Ann", "Mia")
    assert f"(cherry picked from commit {git(office.git_dir, 'rev-parse', 'pull-7^{commit}')})" in message
    assert "mia resolved it in a clone of their own" in pull.body
    assert not worktree.exists()
    assert "No conflict is being resolved" in _refusal(run("--continue"))


def test_markers_that_were_committed_are_found_and_nothing_is_lost(
    worktree: Path, office: Office, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(worktree)
    git(worktree, "add", "widget/ring.py")
    result = run("--continue")
    assert result.exit_code == 1
    assert "Conflict markers are left in widget/ring.py:" in result.stdout
    assert pulls(office) == {}
    (worktree / "widget/ring.py").write_text(RESOLVED)
    assert "uncommitted changes" in _refusal(run("--continue"))
    git(worktree, "commit", "--quiet", "--all", "--amend", "--no-edit")
    assert run("--continue").exit_code == 0
    assert pulls(office) == {"release/1.1": MAINTAINER}


def test_a_branch_that_moved_meanwhile_is_told_with_the_command_that_follows_it(
    worktree: Path, office: Office, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(worktree)
    _resolve(worktree)
    moved = write(office, "release/1.1", {"other.py": "A = 1\n"}, "Meanwhile")
    result = run("--continue")
    assert "moved to" in result.stdout
    command = re.search(r"git rebase --onto [0-9a-f]{40} [0-9a-f]{40}", result.stdout)
    assert command is not None, result.stdout
    assert moved in command[0]
    git(worktree, *command[0].split()[1:])
    assert run("--continue").exit_code == 0
    assert pulls(office) == {"release/1.1": MAINTAINER}


def test_it_can_be_given_up_and_begun_again(
    worktree: Path, clone: Path, office: Office, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "is there already" in run("--pr", 7, "release/1.1", "--resolve").stderr
    monkeypatch.chdir(worktree)
    _resolve(worktree)
    git(worktree, "-c", "core.editor=true", "cherry-pick", "--continue")
    last = git(worktree, "rev-parse", "HEAD")
    monkeypatch.chdir(clone)
    result = CliRunner().invoke(app, ["backport", "--abort"])
    assert result.exit_code == 0, result.output
    assert f"`git branch NAME {last[:12]}`" in result.stdout
    assert not worktree.exists()
    assert git(clone, "worktree", "list").count("\n") == 0
    assert run("--pr", 7, "release/1.1", "--resolve").exit_code == 1
    assert worktree.exists()


def test_a_message_that_would_close_an_issue_closes_none(
    office: Office, clone: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _configure_identity(clone)
    assert run("--pr", 7, "release/1.1", "--resolve").exit_code == 1
    worktree = clone.with_name("clone-backport-7-to-release-1.1")
    _resolve(worktree)
    git(worktree, "commit", "--quiet", "--message", "Size it\n\nFixes #3")
    monkeypatch.chdir(worktree)
    assert run("--continue").exit_code == 0
    assert "Fixes (#3)" in git(office.git_dir, "log", "-1", "--format=%B", "backport/7-to-release-1.1")


def test_outside_of_a_clone_it_is_said_before_anything_is_tried(
    run: Run, tmp_path: Path, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "in no clone" in _refusal(run("--pr", 7, "release/1.1", "--resolve"))
    assert pulls(office) == {}


def test_an_interruption_while_the_conflict_is_written_leaves_nothing_behind(
    clone: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _configure_identity(clone)

    def interrupt(*_: object, **__: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Worktree, "pick", interrupt)
        assert run("--pr", 7, "release/1.1", "--resolve").exit_code == 130
    directory = clone.with_name("clone-backport-7-to-release-1.1")
    assert not directory.exists()
    assert run("--pr", 7, "release/1.1", "--resolve").exit_code == 1
    assert directory.exists()


def test_what_no_backport_brings_is_no_part_of_the_conflict(office: Office, clone: Path, run: Run) -> None:
    """The configuration leaves these files out; on the branch they stay as they are."""
    _configure_identity(clone)
    ring = git(office.git_dir, "show", "main:widget/ring.py") + "\n"
    changes = {"widget/ring.py": ring.replace("slots * width", "slots * width + 1"), ".ci/new [1].yml": "on: push\n"}
    write(office, "main", {"backport.yaml": "pick: {propose: false, leave_out: ['.ci/**']}\n"}, "Configure")
    write(office, "topic", changes, "Ring", onto="main")
    pull = open_pull(office, "topic", title="Ring")
    pull.merge(merge_method="squash")
    assert run("--pr", pull.number, "release/1.1", "--resolve").exit_code == 1
    worktree = clone.with_name(f"clone-backport-{pull.number}-to-release-1.1")
    assert git(worktree, "status", "--porcelain") == "UU widget/ring.py"


def test_what_was_resolved_stays_if_somebody_else_was_quicker(
    worktree: Path, office: Office, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(worktree)
    _resolve(worktree)
    original = git(office.git_dir, "rev-parse", "pull-7^{commit}")
    text = f"Size it\n\n(cherry picked from commit {original})"
    write(office, "backport/7-to-release-1.1", {"widget/ring.py": RESOLVED}, text, onto="release/1.1")
    quicker = open_pull(office, "backport/7-to-release-1.1", base="release/1.1")
    result = run("--continue")
    assert f"pull/{quicker.number} mia opened it; nothing was pushed this time." in result.stdout
    assert (worktree / "widget/ring.py").read_text() == RESOLVED
    assert "stays as it is" in result.stderr
