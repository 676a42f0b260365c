"""The three merge methods make the commits that GitHub makes, and auto-merge waits for its checks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from github.GithubException import GithubException
from github.PullRequest import PullRequest
from github.Repository import Repository

from bot.fake_github import FakeGitHub
from tests.fake_github.conftest import NAME
from tests.fake_github.history import commit, git

Branch = Callable[[str, str], str]


@pytest.fixture
def pull(fake_github: FakeGitHub, maintainer: Repository, tmp_path: Path) -> PullRequest:
    """Open a pull request of two commits onto release/v1, which has moved meanwhile."""
    token = fake_github.add_token("mia")
    url = fake_github.clone_url(NAME).replace("http://", f"http://mia:{token}@")
    git("clone", "--quiet", "--branch=release/v1", url, "clone", cwd=tmp_path)
    clone = tmp_path / "clone"
    git("checkout", "--quiet", "-b", "topic", cwd=clone)
    commit(clone, "First half\n\nWhy.", first__txt="1\n")
    commit(clone, "Second half", second__txt="2\n")
    git("checkout", "--quiet", "release/v1", cwd=clone)
    commit(clone, "Meanwhile", other__txt="3\n")
    git("push", "--quiet", "origin", "topic", "release/v1", cwd=clone)
    return maintainer.create_pull(title="Both halves", body="", head="topic", base="release/v1")


def subject(repository: Repository, branch: str) -> str:
    """Return the first line of a branch's newest commit."""
    return repository.get_branch(branch).commit.commit.message.partition("\n")[0]


def enable_auto_merge(pull: PullRequest) -> None:
    """Order the merge as soon as nothing blocks it."""
    fields = {"pullRequestId": pull.node_id, "mergeMethod": "SQUASH", "expectedHeadOid": pull.head.sha}
    pull.requester.graphql_named_mutation("enablePullRequestAutoMerge", fields, "clientMutationId")


def test_merge_merged_commithas_both_parents(pull: PullRequest, maintainer: Repository) -> None:
    base = maintainer.get_branch("release/v1").commit.sha
    merged_commit = maintainer.get_git_commit(pull.merge().sha)
    assert [parent.sha for parent in merged_commit.parents] == [base, pull.head.sha]
    assert merged_commit.message == f"Merge pull request #{pull.number} from acme/topic\n\nBoth halves"
    assert (merged_commit.author.name, merged_commit.committer.name) == ("mia", "GitHub")


def test_squash_is_one_merged_commitof_the_author(pull: PullRequest, maintainer: Repository) -> None:
    merged_commit = maintainer.get_commit(pull.merge(merge_method="squash").sha)
    assert merged_commit.commit.message == f"Both halves (#{pull.number})\n\n* First half\n\nWhy.\n\n* Second half"
    assert (merged_commit.commit.author.name, merged_commit.commit.committer.name, len(merged_commit.parents)) == (
        "Ann Author",
        "GitHub",
        1,
    )
    assert [file.filename for file in merged_commit.files] == ["first.txt", "second.txt"]


def test_rebase_keeps_every_merged_commitand_its_author(pull: PullRequest, maintainer: Repository) -> None:
    pull.merge(merge_method="rebase")
    second = maintainer.get_branch("release/v1").commit
    first = maintainer.get_commit(second.parents[0].sha)
    base = maintainer.get_commit(first.parents[0].sha)
    messages = [commit.commit.message.partition("\n")[0] for commit in (second, first, base)]
    assert messages == ["Second half", "First half", "Meanwhile"]
    merged_commit = second.commit
    assert (merged_commit.author.name, merged_commit.author.date.isoformat()) == (
        "Ann Author",
        "2026-05-01T08:00:00+00:00",
    )
    assert merged_commit.committer.name == "mia"
    assert maintainer.get_pull(pull.number).commits == 2, "the pull request still shows its own commits"


def test_own_title_and_text_are_taken(pull: PullRequest, maintainer: Repository) -> None:
    merged_commit = pull.merge(merge_method="squash", commit_title="$& title", commit_message="text\n\nRefs: #1")
    assert maintainer.get_git_commit(merged_commit.sha).message == "$& title\n\ntext\n\nRefs: #1"


def test_draft_is_not_merged(bot: Repository, branch_from: Branch) -> None:
    branch_from("topic", "main")
    pull = bot.create_pull(title="t", body="", head="topic", base="main", draft=True)
    with pytest.raises(GithubException, match="still a draft"):
        pull.merge()


def test_auto_merge_waits_for_the_required_check(
    fake_github: FakeGitHub, pull: PullRequest, maintainer: Repository, bot: Repository
) -> None:
    fake_github.require_checks(NAME, "release/v1", ["suite"])
    assert maintainer.get_pull(pull.number).mergeable_state == "blocked"
    enable_auto_merge(pull)
    bot.create_check_run("suite", pull.head.sha, status="completed", conclusion="failure")
    assert not maintainer.get_pull(pull.number).merged
    assert maintainer.get_pull(pull.number).raw_data["auto_merge"]["merge_method"] == "squash"
    bot.create_check_run("suite", pull.head.sha, status="completed", conclusion="success")
    assert maintainer.get_pull(pull.number).merged
    assert subject(maintainer, "release/v1") == f"Both halves (#{pull.number})"


def test_auto_merge_is_refused_where_nothing_blocks(pull: PullRequest) -> None:
    with pytest.raises(GithubException, match="Pull request is in clean status"):
        enable_auto_merge(pull)
