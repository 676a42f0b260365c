"""The remote: pushed by explicit lease, fetched by object name, and no secret in sight."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.errors import FetchFailed, GitError, PushForbidden, PushRejected
from bot.git.environment import authorization
from bot.git.mirror import open_beside, open_mirror
from bot.git.process import Git
from bot.git.repository import Repository
from bot.git.trial_pick import CleanPick, try_pick
from bot.models import Sha
from tests.git.history import History


@pytest.fixture
def mirror(history: History, tmp_path: Path) -> Repository:
    """Return an empty mirror of the history."""
    return open_mirror(history.directory.as_uri(), tmp_path / "mirror.git")


def _tip(history: History, branch: str) -> str:
    return history.git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}")


def test_branches_are_listed_whatever_they_are_called(history: History, mirror: Repository) -> None:
    commit = history.commit({"f": "f"})
    for name in ("main", "release/v1.0", "-f", "$(touch,x)", "日本", "a;b"):
        history.branch(name, commit)
    assert mirror.branches() == dict.fromkeys(("main", "release/v1.0", "-f", "$(touch,x)", "日本", "a;b"), commit)


def test_commit_is_fetched_by_name_with_its_history(history: History, mirror: Repository) -> None:
    """base ── tip (main)"""
    base = history.commit({"f": "f"})
    tip = history.branch("main", history.commit({"f": "g"}, base))
    mirror.fetch([tip])
    assert mirror.read(base, "f") == b"f"
    assert mirror.commit(tip).parents == (base,)


def test_second_fetch_asks_nobody(history: History, mirror: Repository) -> None:
    tip = history.branch("main", history.commit({"f": "f"}))
    mirror.fetch([tip])
    history.directory.rename(history.directory.with_name("gone"))
    mirror.fetch([tip])
    with pytest.raises(FetchFailed):
        mirror.branches()


def test_many_commits_that_are_here_take_one_process_to_know(
    history: History, mirror: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = [history.commit({"f": "0"})]
    for number in range(1, 5):
        commits.append(history.commit({"f": str(number)}, commits[-1]))
    history.branch("main", commits[-1])
    mirror.fetch([commits[-1]])
    started: list[tuple[str, ...]] = []
    attempt = mirror.git.attempt

    def count(*words: str, **options: Any) -> Any:
        started.append(words)
        return attempt(*words, **options)

    monkeypatch.setattr(mirror.git, "attempt", count)
    mirror.fetch(commits)
    assert len(started) == 1, started


def test_a_commit_whose_history_is_not_here_is_fetched_though_the_object_is(
    history: History, mirror: Repository
) -> None:
    """base ── tip ── next (main)"""
    base = history.commit({"f": "f"})
    tip = history.commit({"f": "g"}, base)
    history.branch("main", history.commit({"f": "h"}, tip))
    content = history.git("cat-file", "commit", tip)
    assert mirror.writer.write("commit", content.encode()) == tip
    mirror.fetch([tip])
    assert mirror.read(base, "f") == b"f"


def test_commit_that_the_remote_lacks_is_an_error(history: History, mirror: Repository) -> None:
    history.branch("main", history.commit({"f": "f"}))
    with pytest.raises(FetchFailed, match=r"d{40}"):
        mirror.fetch([Sha("d" * 40)])


def test_branch_is_pushed_when_it_does_not_exist(history: History, mirror: Repository) -> None:
    tip = history.branch("main", history.commit({"f": "f"}))
    mirror.fetch([tip])
    mirror.push(tip, "backport/1-to--x", expected=None)
    mirror.push(tip, "backport/1-to--x", expected=None)
    assert _tip(history, "backport/1-to--x") == tip


def test_branch_that_exists_elsewhere_is_left_alone(history: History, mirror: Repository) -> None:
    """base ── tip (main); base ── somebody's (backport/1)"""
    base = history.commit({"f": "f"})
    tip = history.branch("main", history.commit({"f": "g"}, base))
    theirs = history.branch("backport/1", history.commit({"f": "h"}, base))
    mirror.fetch([tip])
    for expected in (None, base):
        with pytest.raises(PushRejected):
            mirror.push(tip, "backport/1", expected=expected)
    assert _tip(history, "backport/1") == theirs
    mirror.push(tip, "backport/1", expected=theirs)
    assert _tip(history, "backport/1") == tip


def test_refusal_by_the_remote_is_forbidden(history: History, mirror: Repository) -> None:
    tip = history.branch("main", history.commit({"f": "f"}))
    hook = history.directory / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    mirror.fetch([tip])
    with pytest.raises(PushForbidden, match="protected"):
        mirror.push(tip, "backport/1", expected=None)


def test_a_branch_that_is_in_the_way_is_told_of(history: History, mirror: Repository) -> None:
    tip = history.branch("backport", history.commit({"f": "f"}))
    mirror.fetch([tip])
    with pytest.raises(PushForbidden, match="backport' exists") as error:
        mirror.push(tip, "backport/1", expected=None)
    assert "Another branch is in the way" in error.value.hint


@pytest.mark.parametrize("branch", ["", "a..b", "a:refs/heads/main", "a b", "a\nb", "HEAD^", "*", "x.lock", "@{-1}"])
def test_name_that_git_does_not_allow_is_not_pushed(branch: str, history: History, mirror: Repository) -> None:
    tip = history.branch("main", history.commit({"f": "f"}))
    mirror.fetch([tip])
    with pytest.raises(PushRejected):
        mirror.push(tip, branch, expected=None)
    assert history.git("for-each-ref", "--format=%(refname:short)", "refs/heads/") == "main"


def test_remote_that_is_gone_is_no_refusal(history: History, mirror: Repository) -> None:
    tip = history.branch("main", history.commit({"f": "f"}))
    mirror.fetch([tip])
    history.directory.rename(history.directory.with_name("gone"))
    with pytest.raises(GitError) as error:
        mirror.push(tip, "backport/1", expected=None)
    assert type(error.value) is GitError


def test_token_is_in_no_argument_no_file_and_no_error(history: History, tmp_path: Path) -> None:
    token = "ghs_very-secret"
    secret = authorization("http://127.0.0.1:9/o/r.git", token)["GIT_CONFIG_VALUE_0"]
    mirror = open_mirror("http://127.0.0.1:9/o/r.git", tmp_path / "with-token.git", token=token)
    with pytest.raises(FetchFailed) as error:
        mirror.branches()
    assert token not in " ".join(mirror.git.command(["fetch"]))
    assert token not in repr(mirror.git)
    for text in (str(error.value), error.value.stderr, mirror.git.scrub(f"{token} {secret} http://u:p@h/")):
        assert token not in text
        assert secret not in text
        assert "u:p@" not in text
    content = b"".join(file.read_bytes() for file in (tmp_path / "with-token.git").rglob("*") if file.is_file())
    assert token.encode() not in content
    assert secret.encode() not in content


def test_two_repositories_beside_a_mirror_share_no_remote(mirror: Repository) -> None:
    """Even where whoever names them writes both names alike."""
    urls = ["http://127.0.0.1:9/acme/wid.get.git", "http://127.0.0.1:9/acme/wid-get.git"]
    repositories = [open_beside(mirror, "acme-wid-get", url, token="t") for url in urls]
    assert [
        mirror.git.text("config", f"remote.{repository.connection.name}.url") for repository in repositories
    ] == urls


def test_a_branch_is_removed_from_the_repository_beside_the_mirror_s_own(
    history: History, mirror: Repository, tmp_path: Path
) -> None:
    """Both have the branch."""
    tip = history.branch("backport/1", history.commit({"f": "f"}))
    fork = tmp_path / "fork.git"
    history.git("clone", "--quiet", "--bare", history.directory.as_uri(), str(fork), bare=False)
    second_mirror = open_beside(mirror, "acme-fork", fork.as_uri(), token="t")
    second_mirror.fetch([tip])
    second_mirror.delete_branch("backport/1", expected=tip)
    assert second_mirror.branches() == {}
    assert _tip(history, "backport/1") == tip


def test_url_with_credentials_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="credentials"):
        open_mirror("https://x:secret@example.org/o/r.git", tmp_path / "m.git")


def test_pick_works_on_a_shallow_and_on_a_partial_clone(history: History, tmp_path: Path) -> None:
    """base ── original (main); base ── tip (release)"""
    lines = [f"{number}\n" for number in range(20)]
    base = history.commit({"f": "".join(lines), "g": "g"})
    original = history.branch("main", history.commit({"f": "".join(["fixed\n", *lines[1:]])}, base))
    tip = history.branch("release", history.commit({"f": "".join([*lines[:-1], "branch\n"])}, base))
    history.git("config", "uploadpack.allowFilter", "true")
    url = history.directory.as_uri()
    for name, options in (("shallow", ["--depth=2", "--no-single-branch"]), ("partial", ["--filter=blob:none"])):
        history.git("clone", "--quiet", "--bare", *options, url, str(tmp_path / name), bare=False)
        with Repository.open(tmp_path / name) as clone, clone.quarantine() as quarantine:
            pick = try_pick(quarantine, original, quarantine.commit(tip).tree)
            assert isinstance(pick, CleanPick)
            assert quarantine.read(pick.tree, "f") == "".join(["fixed\n", *lines[1:-1], "branch\n"]).encode()


def test_a_token_that_ends_is_asked_for_whenever_git_talks_to_the_remote(history: History, tmp_path: Path) -> None:
    history.branch("main", history.commit({"a.txt": "one\n"}))
    calls: list[str] = []

    def token() -> str:
        calls.append("asked")
        return f"secret-{len(calls)}"

    with open_mirror(f"file://{history.directory}", tmp_path / "mirror.git", token=token) as mirror:
        mirror.branches()
        mirror.branches()
    assert len(calls) == 2


def test_a_github_token_that_git_repeats_is_taken_out(tmp_path: Path) -> None:
    text = Git(directory=tmp_path).scrub("fatal: ghs_0123456789abcdefABCDEF was refused")
    assert text == "fatal: *** was refused"
