"""The recipe, pasted into a real shell in a real clone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bot.models import MergeMethod, Sha
from bot.report.manual_steps import recipe, taking_back
from bot.text.branch_names import slug

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "C",
    "GIT_COMMITTER_EMAIL": "c@example.org",
    "LC_ALL": "C",
}
BRANCH, BACKPORT = "release/v1'$(touch>owned)`x`;&", "backport/1-to-release-v1'"
FILE = "src/a file'.txt"


def shell(script: str, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", script], cwd=directory, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )


def git(directory: Path, *words: str) -> str:
    result = subprocess.run(["git", *words], cwd=directory, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return result.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> tuple[Path, Sha]:
    """Return a clone whose main has a commit that conflicts with the target branch, and that commit.

    one ── two (main: the fix)
      └── other (the target branch: same line, other text)
    """
    origin, work = tmp_path / "origin.git", tmp_path / "here" / "clone"
    work.parent.mkdir()
    git(tmp_path, "init", "--quiet", "--bare", "-b", "main", str(origin))
    git(tmp_path, "clone", "--quiet", str(origin), str(work))
    git(work, "switch", "-q", "-c", "main")
    (work / "src").mkdir()
    for text, message in (("one", "one"), ("two", "the fix")):
        (work / FILE).write_text(f"{text}\n", encoding="utf-8")
        git(work, "add", "--all")
        git(work, "commit", "-q", "-m", message)
    merged = Sha(git(work, "rev-parse", "HEAD"))
    git(work, "switch", "-q", "-c", BRANCH, "HEAD~1")
    (work / FILE).write_text("other\n", encoding="utf-8")
    git(work, "commit", "-q", "--all", "-m", "other")
    git(work, "push", "-q", "origin", "main", BRANCH)
    git(work, "switch", "-q", "main")
    git(work, "branch", "-q", "-D", BRANCH)
    return work, merged


@pytest.mark.parametrize("method", [MergeMethod.SQUASH, MergeMethod.MERGE])
def test_pasted_recipe_ends_in_a_pushed_branch(clone: tuple[Path, Sha], method: MergeMethod) -> None:
    work, merged = clone
    made = recipe(branch=BRANCH, backport_branch=BACKPORT, commits=[merged], merge_method=method, files=[FILE])
    begun = shell(made.begin, work)
    (worktree,) = (each for each in work.parent.iterdir() if each != work)
    assert "<<<<<<<" in (worktree / FILE).read_text(encoding="utf-8"), begun.stderr

    early = shell(made.finish, work)
    assert early.returncode != 0
    assert BACKPORT not in git(work, "ls-remote", "--heads", "origin"), "a marker was pushed"

    (worktree / FILE).write_text("both\n", encoding="utf-8")
    (worktree / "notes.txt").write_text("Not to be committed.\n", encoding="utf-8")
    finished = shell(made.finish, work)
    assert finished.returncode == 0, finished.stderr
    message = git(work, "log", "-1", "--format=%B", f"refs/remotes/origin/{BACKPORT}")
    assert f"(cherry picked from commit {merged})" in message
    assert git(work, "show", f"refs/remotes/origin/{BACKPORT}:{FILE}") == "both"
    assert "notes.txt" not in git(work, "ls-tree", "-r", "--name-only", f"refs/remotes/origin/{BACKPORT}")
    assert not list(work.parent.rglob("owned"))


@pytest.mark.parametrize("stands", ["", "src"])
def test_of_a_commit_in_parts_only_these_paths_are_taken(clone: tuple[Path, Sha], stands: str) -> None:
    work, _merged = clone
    git(work, "switch", "-q", "main")
    for name in ("src/part 1.txt", "other.txt"):
        (work / name).write_text("swept\n", encoding="utf-8")
    git(work, "add", "--all")
    git(work, "commit", "-q", "-m", "sweep")
    (work / "last.txt").write_text("last\n", encoding="utf-8")
    git(work, "add", "--all")
    git(work, "commit", "-q", "-m", "last")
    git(work, "push", "-q", "origin", "main")
    sweep, last = (Sha(git(work, "rev-parse", name)) for name in ("main~1", "main"))
    made = recipe(
        branch=BRANCH,
        backport_branch=BACKPORT,
        commits=[sweep, last],
        merge_method=MergeMethod.MERGE,
        parts={sweep: ("src/part 1.txt",)},
    )
    begun = shell(f"set -e\n{made.begin}", work / stands)
    assert begun.returncode == 0, begun.stderr
    worktree = (work / stands).parent / slug(BACKPORT)
    assert git(worktree, "log", "-2", "--format=%s").splitlines() == ["last", "sweep"]
    assert git(worktree, "diff", "--name-only", "HEAD~2").splitlines() == ["last.txt", "src/part 1.txt"]


def test_a_path_that_is_no_utf8_is_quoted_so_that_a_shell_reads_its_bytes(tmp_path: Path) -> None:
    path = b"a b/caf\xe9's".decode("utf-8", "surrogateescape")
    finish = recipe(
        branch="b", backport_branch="c", commits=(Sha("1" * 40),), merge_method=MergeMethod.SQUASH, files=[path]
    ).finish
    quoted = finish.splitlines()[0].partition(" -- ")[2].removesuffix(" &&")
    result = subprocess.run(["bash", "-c", f"printf %s {quoted}"], env=ENVIRONMENT, capture_output=True, check=True)
    assert result.stdout == b"a b/caf\xe9's"


def test_what_is_left_out_is_taken_back_by_the_commands(clone: tuple[Path, Sha]) -> None:
    """The fix also changes a file that conflicts, and adds one; both are left out."""
    work, _ = clone
    changed, added = ".github/it's.yml", ".github/new.yml"
    for branch, text in ((BRANCH, "other\n"), ("main", "two\n")):
        git(work, "switch", "-q", *(["-c", branch, f"origin/{branch}"] if branch != "main" else [branch]))
        (work / ".github").mkdir(exist_ok=True)
        (work / changed).write_text(text)
        (work / FILE).write_text(f"{text}more\n")
        if branch == "main":
            (work / added).write_text("new\n")
        git(work, "add", "--all")
        git(work, "commit", "-q", "-m", "the fix")
    git(work, "push", "-q", "origin", "main", BRANCH)
    merged = Sha(git(work, "rev-parse", "main"))
    plain = recipe(
        branch=BRANCH, backport_branch=BACKPORT, commits=[merged], merge_method=MergeMethod.SQUASH, files=[FILE]
    )
    made = taking_back(plain, BACKPORT, [changed, added])
    shell(made.begin, work)
    directory = work.parent / slug(BACKPORT)
    (directory / FILE).write_text("resolved\n", encoding="utf-8")
    finished = shell(made.finish, work)
    assert finished.returncode == 0, finished.stderr
    assert git(directory, "diff", "--name-only", f"origin/{BRANCH}", "HEAD").strip('"') == FILE
    assert taking_back(plain, BACKPORT, []) == plain
