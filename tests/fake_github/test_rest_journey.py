"""The journey of a backport as PyGithub walks it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from github.GithubException import GithubException, UnknownObjectException
from github.Repository import Repository

from bot.fake_github import FakeGitHub
from tests.fake_github.conftest import NAME, People, commit_file

Branch = Callable[[str, str], str]


def test_seeded_original_looks_merged(original: int, bot: Repository) -> None:
    pull = bot.get_pull(original)
    assert (pull.merged, pull.state, pull.merged_by.login) == (True, "closed", "mia")
    assert pull.merge_commit_sha == bot.get_branch("main").commit.sha
    assert [file.filename for file in pull.get_files()] == ["buffer.py", "new.py"]
    assert pull.head.ref == "topic"
    assert pull.head.label == "ann:topic"


def test_numbers_go_on_after_the_highest_seeded_one(
    fake_github: FakeGitHub, original: int, maintainer: Repository
) -> None:
    fake_github.seed_issue(NAME, number=24587, title="Far ahead", author="ann")
    assert maintainer.create_issue("Next").number == 24588


def test_comment_is_created_edited_found_and_deleted(original: int, bot: Repository) -> None:
    comment = bot.get_issue(original).create_comment("first ✓")
    comment.edit("second\r\n<!-- marker -->")
    assert [item.body for item in bot.get_issue(original).get_comments()] == ["second\r\n<!-- marker -->"]
    comment.delete()
    assert bot.get_issue(original).get_comments().totalCount == 0


def test_comments_beyond_one_page_are_all_listed(fake_github: FakeGitHub, original: int, bot: Repository) -> None:
    ids = [fake_github.seed_comment(NAME, original, author="ann", body=f"comment {n}") for n in range(231)]
    comments = bot.get_issue(original).get_comments()
    assert comments.totalCount == 231
    assert [item.id for item in comments] == ids
    assert [item.id for item in comments.get_page(2)] == ids[200:]


def test_same_reaction_twice_is_one_reaction(original: int, bot: Repository) -> None:
    comment = bot.get_issue(original).create_comment("/backport release/v1")
    first, second = comment.create_reaction("eyes"), comment.create_reaction("eyes")
    comment.create_reaction("rocket")
    assert first.id == second.id
    assert [item.content for item in comment.get_reactions()] == ["eyes", "rocket"]
    comment.delete_reaction(first.id)
    assert bot.get_issue(original).get_comment(comment.id).reactions["rocket"] == 1
    assert [item.content for item in comment.get_reactions()] == ["rocket"]


@pytest.mark.parametrize(
    ("level", "permission"),
    [("read", "read"), ("triage", "read"), ("write", "write"), ("maintain", "write"), ("admin", "admin")],
)
def test_permission_has_the_old_word_and_the_role(level: str, permission: str, people: People, bot: Repository) -> None:
    people.repository("somebody", level)
    assert bot.get_collaborator_permission("somebody") == permission
    assert bot.get_collaborator_role_name("somebody") == level


def test_stranger_reads_a_public_repository_and_a_typo_is_no_user(fake_github: FakeGitHub, bot: Repository) -> None:
    fake_github.add_user("stranger")
    assert bot.get_collaborator_permission("stranger") == "read"
    with pytest.raises(GithubException, match="nobody-at-all is not a user") as refusal:
        bot.get_collaborator_permission("nobody-at-all")
    assert refusal.value.status == 404


def test_team_membership_is_answered_for_members_only(fake_github: FakeGitHub, people: People) -> None:
    fake_github.add_team("acme", "release", ["mia"])
    fake_github.add_user("zoe")
    ask = people.client(fake_github.add_user("mia")).requester.requestJsonAndCheck
    url = "/orgs/acme/teams/release/memberships"
    assert ask("GET", f"{url}/mia")[1]["state"] == "active"
    for path in (f"{url}/zoe", "/orgs/acme/teams/other/memberships/mia"):
        with pytest.raises(UnknownObjectException):
            ask("GET", path)


def test_backport_pull_request_from_branch_to_merge(
    original: int, bot: Repository, maintainer: Repository, branch_from: Branch
) -> None:
    sha = branch_from("backport/7-to-release-v1", "release/v1")
    pull = bot.create_pull(title="[v1] Size", body="Proof", head="backport/7-to-release-v1", base="release/v1")
    pull.add_to_labels("backport", "proven")
    pull.create_review_request(reviewers=["mia"])
    bot.create_check_run(
        "suite", sha, status="completed", conclusion="success", output={"title": "ok", "summary": "12 of 12"}
    )
    current = bot.get_pull(pull.number)
    assert (current.commits, current.changed_files, current.additions) == (1, 1, 1)
    assert (current.mergeable, current.mergeable_state, current.head.sha) == (True, "clean", sha)
    assert {label.name for label in current.labels} == {"backport", "proven"}
    assert [user.login for user in current.requested_reviewers] == ["mia"]
    assert [run.conclusion for run in bot.get_commit(sha).get_check_runs()] == ["success"]
    assert maintainer.get_pull(pull.number).merge(merge_method="squash").merged
    assert maintainer.get_pull(pull.number).merged_by.login == "mia"
    assert bot.get_branch("release/v1").commit.commit.message.startswith("Add something for release/v1 (#")


def test_unmerged_pull_request_has_a_merge_commit_too(bot: Repository, branch_from: Branch) -> None:
    branch_from("topic", "main")
    pull = bot.create_pull(title="t", body="", head="topic", base="main")
    assert not pull.merged
    assert bot.get_git_commit(pull.merge_commit_sha).parents[1].sha == pull.head.sha


def test_a_file_whose_name_holds_a_tab_is_listed(bot: Repository, branch_from: Branch) -> None:
    branch_from("topic", "main")
    bot.get_git_ref("heads/topic").edit(commit_file(bot, "topic", "Add", "a\tb.py", "x\n"))
    pull = bot.create_pull(title="t", body="", head="topic", base="main")
    assert "a\tb.py" in [file.filename for file in pull.get_files()]


def test_open_pull_request_is_found_by_owner_and_branch_only(bot: Repository, branch_from: Branch) -> None:
    branch_from("one", "main")
    branch_from("two", "main")
    for name in ("one", "two"):
        bot.create_pull(title=name, body="", head=name, base="main")
    assert [pull.title for pull in bot.get_pulls(head="acme:two")] == ["two"]
    assert bot.get_pulls(head="other:two").totalCount == 0
    assert bot.get_pulls(head="two").totalCount == 2, "without an owner GitHub filters nothing"


def test_commit_leads_to_the_pull_request_that_brought_it(original: int, bot: Repository) -> None:
    main = bot.get_branch("main").commit
    assert [pull.number for pull in bot.get_commit(main.sha).get_pulls()] == [original]
    assert bot.get_commit(main.commit.sha).stats.total == 3
    file = bot.get_contents("buffer.py", ref="release/v2")
    assert not isinstance(file, list)
    assert file.decoded_content == b"size = 1\nunit = 2\nname = 'kv'\n"
    assert file.sha == hashlib.sha1(b"blob 30\0" + file.decoded_content, usedforsecurity=False).hexdigest()


def test_check_run_is_updated_and_only_the_newest_is_listed(bot: Repository) -> None:
    sha = bot.get_branch("main").commit.sha
    old = bot.create_check_run("suite", sha, status="in_progress")
    bot.create_check_run("suite", sha, status="queued")
    old.edit(status="completed", conclusion="failure", output={"title": "t", "summary": "s"})
    assert [run.status for run in bot.get_commit(sha).get_check_runs()] == ["queued"]
    assert bot.get_commit(sha).get_check_runs(filter="all").totalCount == 2
    assert old.output.summary == "s"


def test_labels_milestone_and_assignees_live_on_the_issue(people: People, maintainer: Repository) -> None:
    milestone = maintainer.create_milestone("v1.0.1")
    issue = maintainer.create_issue("Overflow", labels=["bug", "crash"])
    issue.add_to_assignees("mia", "nobody")
    issue.edit(milestone=milestone)
    issue.remove_from_labels("bug")
    issue.edit(state="closed")
    (closed_issue,) = maintainer.get_issues(
        state="closed", labels=["crash"], creator=people.clients[-1].get_user("mia")
    )
    assert (closed_issue.milestone.number, [user.login for user in closed_issue.assignees]) == (1, ["mia"])
    assert ([label.name for label in closed_issue.labels], closed_issue.state_reason) == (["crash"], "completed")
    assert [label.name for label in maintainer.get_labels()] == ["bug", "crash"]
    assert [event.event for event in issue.get_events()] == ["assigned", "unlabeled", "closed"]


def test_pull_request_of_a_fork_has_its_objects_in_the_base(people: People, maintainer: Repository) -> None:
    outsider = people.client(people.fake_github.add_user("fred")).get_repo(NAME)
    fork = outsider.create_fork()
    assert (fork.full_name, fork.parent.full_name) == ("fred/engine", NAME)
    sha = commit_file(fork, "main", "Fork it", "fork.py", "x = 1\n")
    fork.create_git_ref("refs/heads/topic", sha)
    pull = outsider.create_pull(title="Fork", body="", head="fred:topic", base="main")
    assert (pull.head.repo.full_name, pull.head.label, pull.head.ref) == ("fred/engine", "fred:topic", "topic")
    assert maintainer.get_git_commit(sha).message == "Fork it"
    assert maintainer.get_pull(pull.number).raw_data["author_association"] == "NONE"


def test_missing_things_are_404(bot: Repository) -> None:
    for ask in (
        lambda: bot.get_pull(999),
        lambda: bot.get_issue(999),
        lambda: bot.get_branch("nope"),
        lambda: bot.get_git_ref("heads/nope"),
        lambda: bot.get_contents("nope.py"),
    ):
        with pytest.raises(GithubException) as refusal:
            ask()
        assert refusal.value.status == 404
