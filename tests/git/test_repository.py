"""A repository as the rooms see it: objects in, objects out, no worktree."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import GitError, OutOfTime
from bot.git.repository import Repository
from bot.git.trees import CommitTree, changed_tree
from bot.models import Sha, Signature
from tests.git.history import AUTHOR, COMMITTER, File, Files, History

ODD = 'caf\udce9/q"u ote\n'


def test_place_without_a_repository_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="no git repository"):
        Repository.open(tmp_path)


def test_commit_is_read_with_any_name_date_and_encoding(history: History, repository: Repository) -> None:
    author = Signature("Åda", "a@example.org", "1600000000 -0330")
    sha = history.commit({"f": "f"}, message="Größe".encode("latin-1"), author=author, encoding="ISO-8859-1")
    commit = repository.commit(sha)
    assert commit.message == "Größe"
    assert commit.author.date == "1600000000 -0330"
    assert commit.subject == "Größe"


def test_written_commit_is_what_git_would_write(history: History, repository: Repository) -> None:
    base = history.commit({"f": "f", "d/e/g": "g", "d/h": "h", "d.x": "x", "run": File("100755", b"#!")})
    changes = {"d/e/g": None, "d/new/n": b"n", "f": b"F", "run": b"#!/bin/sh", ODD: b"odd"}
    commit = repository.write_commit(base, changes, message="Fix\n", author=AUTHOR, committer=COMMITTER)
    same_commit = history.commit({**changes, "run": File("100755", b"#!/bin/sh")}, base)
    assert history.tree(commit) == history.tree(same_commit)
    assert history.git("show", "-s", "--format=%an %ad %cn %cd", "--date=raw", commit) == (
        f"{AUTHOR.name} {AUTHOR.date} {COMMITTER.name} {COMMITTER.date}"
    )
    history.git("fsck", "--strict")


def test_removing_what_is_not_there_changes_nothing(history: History, repository: Repository) -> None:
    base = history.commit({"f": "f", "d/g": "g"})
    tree = Sha(history.tree(base))
    assert changed_tree(repository, tree, {"no": None, "d/no": None, "no/no": None, "f/no": None}) == tree


def test_removing_a_file_removes_no_folder_of_that_name(history: History, repository: Repository) -> None:
    tree = Sha(history.tree(history.commit({"d/g": "g", "e/f/g": "g"})))
    assert changed_tree(repository, tree, {"d": None, "e/f": None}) == tree


def test_commit_tree_reads_files_and_lists_them_sorted(history: History, repository: Repository) -> None:
    commit = history.commit({"b": "b", ODD: "odd", "a/c": "c", "s": File("160000", b"a" * 40)})
    tree = CommitTree(repository, commit)
    assert sorted(tree.paths()) == sorted(["a/c", "b", ODD])
    assert tree.read("a/c") == b"c"
    assert [tree.read(path) for path in ("a", "no", "a/no", "", "b\nx")] == [None] * 5


def test_export_writes_what_a_checkout_would_have_and_nothing_else(
    history: History, repository: Repository, tmp_path: Path
) -> None:
    files: Files = {
        "a/f.py": "f",
        "run": File("100755", b"#!"),
        "link": File("120000", b"a/f.py"),
        "left-out": "kept although marked",
        "windows.bat": "a\n",
        ".gitattributes": "left-out export-ignore\n*.bat eol=crlf\n",
    }
    commit = history.commit(files)
    repository.export(commit, tmp_path / "out")
    paths = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*"))
    assert paths == sorted(["a", *files])
    assert (tmp_path / "out/link").readlink() == Path("a/f.py")
    assert stat.S_IMODE((tmp_path / "out/run").stat().st_mode) & stat.S_IXUSR
    assert (tmp_path / "out/left-out").read_text() == "kept although marked"
    assert (tmp_path / "out/windows.bat").read_bytes() == b"a\r\n"


def test_export_can_be_limited_to_paths(history: History, repository: Repository, tmp_path: Path) -> None:
    commit = history.commit({"a/f": "f", "a/g": "g", "b/h": "h", "*": "star"})
    repository.export(commit, tmp_path / "out", ["a", "*"])
    assert sorted(path.name for path in (tmp_path / "out").rglob("*")) == ["*", "a", "f", "g"]


def test_kept_commit_survives_its_quarantine_and_others_do_not(history: History, repository: Repository) -> None:
    base = history.commit({"f": "f"})
    with repository.quarantine() as quarantine:
        first, second, other = (
            quarantine.write_commit(base, {"d/f": text}, message="m", author=AUTHOR, committer=COMMITTER)
            for text in (b"1", b"2", b"3")
        )
        top = quarantine.write_commit(second, {"g": b"g"}, message="m", author=AUTHOR, committer=COMMITTER)
        quarantine.keep(top)
        assert quarantine.resolve(other) == other
    assert [repository.resolve(commit) for commit in (top, second, first, other)] == [top, second, None, None]
    assert repository.read(top, "d/f") == b"2"
    history.git("branch", "kept", top)
    history.git("fsck", "--strict", "--connectivity-only")


def test_history_is_asked_by_commits(history: History, repository: Repository) -> None:
    """base ── one ── two (main); base ── tip; lone (another history)"""
    base = history.commit({"f": "f"})
    one = history.commit({"f": "1"}, base)
    two = history.commit({"g/h": "2"}, one)
    tip, lone = history.commit({"t": "t"}, base), history.commit({"l": "l"})
    assert repository.merge_base(two, tip) == base
    assert repository.merge_base(two, lone) is None
    assert repository.is_ancestor(base, two)
    assert not repository.is_ancestor(two, tip)
    assert [commit.sha for commit in repository.commits_between(tip, two)] == [one, two]
    assert repository.changed_paths(base, two) == ("f", "g/h")


def test_environment_of_the_caller_does_not_reach_git(
    history: History, repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commit = history.commit({"f": "f"})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'core.bare=broken'")
    assert repository.resolve(commit) == commit


def test_the_repository_of_the_caller_is_not_opened_and_its_environment_stays(
    history: History, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commit = history.commit({"f": "f"})
    program = (
        "import os, sys\nfrom pathlib import Path\n"
        "from bot.git.open import open_repo\n"
        "print(open_repo(Path(sys.argv[1])).commit(sys.argv[2]).hexsha, os.environ['GIT_DIR'])\n"
    )
    names = ("GIT_DIR", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE")
    result = subprocess.run(
        [sys.executable, "-c", program, str(history.directory), commit],
        env=os.environ | dict.fromkeys(names, str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.split() == [commit, str(tmp_path)], result.stderr


def test_git_that_takes_too_long_is_ended(repository: Repository) -> None:
    with pytest.raises(OutOfTime, match="took longer than"):
        repository.git.attempt("-c", "alias.wait=!exec sleep 20", "wait", seconds=0.2)


@pytest.mark.parametrize("lost_part", ["tree", "author", "committer"])
def test_a_commit_that_lacks_a_line_is_told_of(history: History, repository: Repository, lost_part: str) -> None:
    whole_output = history.git("cat-file", "commit", history.commit({"f": "f"}))
    lines = [line for line in whole_output.split("\n") if not line.startswith(f"{lost_part} ")]
    damaged = repository.writer.write("commit", "\n".join(lines).encode())
    with pytest.raises(GitError, match=f"it has no {lost_part}"):
        repository.commit(damaged)
