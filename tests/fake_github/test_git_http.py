"""git itself against the fake GitHub: clone, partial clone, push, and what is refused."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from github.Repository import Repository

from bot.fake_github import FakeGitHub
from tests.fake_github.conftest import NAME, People
from tests.fake_github.history import commit, git


def as_user(token: str) -> list[str]:
    """Return git's options that send a token."""
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return ["-c", f"http.extraHeader=Authorization: Basic {basic}"]


@pytest.fixture
def clone(fake_github: FakeGitHub, tmp_path: Path) -> Path:
    """Clone without any credentials."""
    git("clone", "--quiet", fake_github.clone_url(NAME), str(tmp_path / "clone"), cwd=tmp_path)
    return tmp_path / "clone"


@pytest.fixture
def writer(fake_github: FakeGitHub) -> str:
    """Return the token of somebody who may push."""
    token = fake_github.add_user("will")
    fake_github.grant(NAME, "will", "write")
    return token


def test_public_repository_is_cloned_by_anybody(clone: Path) -> None:
    assert git("log", "-1", "--format=%s", "origin/release/v2", cwd=clone).stdout == "Count in other units\n"


def test_partial_clone_fetches_blobs_when_they_are_read(fake_github: FakeGitHub, tmp_path: Path) -> None:
    url = fake_github.clone_url(NAME)
    git("clone", "--quiet", "--bare", "--filter=blob:none", url, str(tmp_path / "partial"), cwd=tmp_path)
    objects = git("rev-list", "--objects", "--all", "--missing=print", cwd=tmp_path / "partial").stdout
    assert objects.count("?") == 4
    assert "unit = 2" in git("show", "release/v2:buffer.py", cwd=tmp_path / "partial").stdout


def test_one_commit_is_fetched_by_its_name(fake_github: FakeGitHub, bare: Path, tmp_path: Path) -> None:
    first = git("rev-parse", "main~1", cwd=bare).stdout.strip()
    git("init", "--quiet", "--bare", "one.git", cwd=tmp_path)
    git("fetch", "--quiet", "--depth=1", fake_github.clone_url(NAME), first, cwd=tmp_path / "one.git")
    assert git("cat-file", "-t", first, cwd=tmp_path / "one.git").stdout == "commit\n"


def test_push_of_more_than_a_megabyte_arrives_whole(
    fake_github: FakeGitHub, clone: Path, writer: str, bot: Repository, tmp_path: Path
) -> None:
    (clone / "big.bin").write_bytes(os.urandom(3_000_000))
    sha = commit(clone, "Add much")
    git(*as_user(writer), "push", "--quiet", "origin", "HEAD:refs/heads/big", cwd=clone)
    assert bot.get_branch("big").commit.sha == sha
    assert bot.get_commit(sha).files[0].filename == "big.bin"
    assert git("cat-file", "-s", "big:big.bin", cwd=tmp_path / "engine.git").stdout == "3000000\n"


def test_push_moves_the_head_of_an_open_pull_request(clone: Path, writer: str, bot: Repository) -> None:
    commit(clone, "One", a__txt="1\n")
    git(*as_user(writer), "push", "--quiet", "origin", "HEAD:refs/heads/topic", cwd=clone)
    pull = bot.create_pull(title="t", body="", head="topic", base="main")
    second = commit(clone, "Two", a__txt="2\n")
    git(*as_user(writer), "push", "--quiet", "origin", "HEAD:refs/heads/topic", cwd=clone)
    current = bot.get_pull(pull.number)
    assert (current.head.sha, current.commits) == (second, 2)
    assert git("ls-remote", "origin", f"refs/pull/{pull.number}/head", cwd=clone).stdout.split()[0] == second


def test_pull_request_pushed_into_its_base_counts_as_merged(clone: Path, writer: str, bot: Repository) -> None:
    sha = commit(clone, "One", a__txt="1\n")
    git(*as_user(writer), "push", "--quiet", "origin", "HEAD:refs/heads/topic", cwd=clone)
    pull = bot.create_pull(title="t", body="", head="topic", base="main")
    git(*as_user(writer), "push", "--quiet", "origin", "HEAD:refs/heads/main", cwd=clone)
    assert (bot.get_pull(pull.number).merged, bot.get_pull(pull.number).merge_commit_sha) == (True, sha)


def test_deleted_head_branch_closes_its_pull_request(clone: Path, writer: str, bot: Repository) -> None:
    commit(clone, "One", a__txt="1\n")
    git(*as_user(writer), "push", "--quiet", "origin", "HEAD:refs/heads/topic", cwd=clone)
    pull = bot.create_pull(title="t", body="", head="topic", base="main")
    git(*as_user(writer), "push", "--quiet", "origin", ":refs/heads/topic", cwd=clone)
    assert (bot.get_pull(pull.number).state, bot.get_pull(pull.number).merged) == ("closed", False)


@pytest.mark.parametrize(("level", "message"), [("read", "denied to rita"), ("triage", "denied to rita")])
def test_push_without_write_access_is_forbidden(level: str, message: str, fake_github: FakeGitHub, clone: Path) -> None:
    token = fake_github.add_user("rita")
    fake_github.grant(NAME, "rita", level)
    result = git(*as_user(token), "push", "origin", "HEAD:refs/heads/x", cwd=clone, check=False)
    assert result.returncode == 128
    assert message in result.stderr
    assert "403" in result.stderr


def test_push_with_a_bad_token_or_none_fails_to_authenticate(clone: Path) -> None:
    for options in ([], as_user("ghp_nonsense")):
        result = git(*options, "push", "origin", "HEAD:refs/heads/x", cwd=clone, check=False)
        assert result.returncode == 128
        assert "could not read Username" in result.stderr or "Authentication failed" in result.stderr


def test_stale_lease_and_sideways_push_are_rejected(clone: Path, writer: str) -> None:
    git("checkout", "--quiet", "-b", "mine", "origin/release/v1", cwd=clone)
    commit(clone, "Sideways", a__txt="1\n")
    push = [*as_user(writer), "push", "--porcelain", "origin"]
    assert "non-fast-forward" in git(*push, "HEAD:refs/heads/main", cwd=clone, check=False).stdout
    lease = f"--force-with-lease=refs/heads/main:{'1' * 40}"
    assert "stale info" in git(*push, lease, "HEAD:refs/heads/main", cwd=clone, check=False).stdout


def test_workflow_files_need_their_own_right(fake_github: FakeGitHub, clone: Path, writer: str) -> None:
    git(*as_user(writer), "push", "--quiet", "origin", "HEAD:refs/heads/before", cwd=clone)
    (clone / ".github/workflows").mkdir(parents=True)
    commit(clone, "Add a workflow", **{".github/workflows/ci__yml": "on: push\n"})
    commit(clone, "Something else", a__txt="1\n")
    poor = fake_github.add_token("will", workflows=False)
    push = ["push", "--porcelain", "origin", "HEAD:refs/heads/flow"]
    result = git(*as_user(poor), *push, cwd=clone, check=False)
    assert result.returncode == 1
    assert (
        "[remote rejected] (refusing to allow a GitHub App to create or update workflow "
        "`.github/workflows/ci.yml` without `workflows` permission)" in result.stdout
    )
    git(*as_user(poor), "push", "origin", "origin/main:refs/heads/harmless", cwd=clone)
    git(*as_user(writer), *push, cwd=clone)


def test_pull_request_refs_are_not_for_pushing(clone: Path, writer: str) -> None:
    result = git(*as_user(writer), "push", "--porcelain", "origin", "HEAD:refs/pull/1/head", cwd=clone, check=False)
    assert "deny updating a hidden ref" in result.stdout


def test_private_repository_is_cloned_by_its_people_only(fake_github: FakeGitHub, writer: str, tmp_path: Path) -> None:
    fake_github.create_repository("acme/secret", private=True)
    stranger = fake_github.add_user("stranger")
    fake_github.grant("acme/secret", "will", "read")
    url = fake_github.clone_url("acme/secret")
    assert "not found" in git(*as_user(stranger), "ls-remote", url, cwd=tmp_path, check=False).stderr
    assert git(*as_user(writer), "ls-remote", url, cwd=tmp_path).stdout == ""


def test_adopted_repository_keeps_its_configuration(
    fake_github: FakeGitHub, bare: Path, clone: Path, writer: str, tmp_path: Path
) -> None:
    git(*as_user(writer), "push", "--quiet", "origin", "HEAD:refs/heads/x", cwd=clone)
    assert (tmp_path / "engine.git/config").read_text() == (bare / "config").read_text()


def test_token_is_in_no_log(people: People, fake_github: FakeGitHub, clone: Path, writer: str) -> None:
    git(*as_user(writer), "push", "--quiet", "origin", "HEAD:refs/heads/x", cwd=clone)
    log = fake_github.requests()
    assert ("POST", f"/{NAME}.git/git-receive-pack", 200, "will") in {
        (request.method, request.path, request.status, request.login) for request in log
    }
    assert writer not in repr(log)


def push_refused(clone: Path, fake_github: FakeGitHub, token: str) -> tuple[str, str]:
    """Push a commit that is refused; return git's line for the branch and what the server sent along."""
    commit(clone, "Change it", a__py="A = 3\n")
    result = git(
        *as_user(token),
        "push",
        "--porcelain",
        fake_github.clone_url(NAME),
        "HEAD:refs/heads/topic",
        cwd=clone,
        check=False,
    )
    assert result.returncode
    return result.stdout, result.stderr


def test_a_rule_refuses_a_push_in_github_s_words(fake_github: FakeGitHub, clone: Path, writer: str) -> None:
    fake_github.refuse_pushes(
        NAME, "push declined due to repository rule violations", "error: GH013: it's a `rule`\n\n- No."
    )
    line, message = push_refused(clone, fake_github, writer)
    assert "[remote rejected] (push declined due to repository rule violations)" in line
    assert "remote: error: GH013: it's a `rule`" in message
    assert "remote: - No." in message


def test_an_archived_repository_takes_no_push(fake_github: FakeGitHub, clone: Path, writer: str) -> None:
    fake_github.archive(NAME)
    assert (
        "remote: ERROR: This repository was archived so it is read-only." in push_refused(clone, fake_github, writer)[1]
    )
