"""The journey of a backport as PyGithub walks it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from github.GithubException import GithubException, UnknownObjectException
from github.InputGitTreeElement import InputGitTreeElement
from github.Repository import Repository

from bot.fake_github import FakeGitHub
from tests.fake_github.conftest import NAME, People

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
    assert [one.body for one in bot.get_issue(original).get_comments()] == ["second\r\n<!-- marker -->"]
    comment.delete()
    assert bot.get_issue(original).get_comments().totalCount == 0


def test_comments_beyond_one_page_are_all_listed(fake_github: FakeGitHub, original: int, bot: Repository) -> None:
    ids = [fake_github.seed_comment(NAME, original, author="ann", body=f"comment {n}") for n in range(231)]
    comments = bot.get_issue(original).get_comments()
    assert comments.totalCount == 231
    assert [one.id for one in comments] == ids
    assert [one.id for one in comments.get_page(2)] == ids[200:]


def test_same_reaction_twice_is_one_reaction(original: int, bot: Repository) -> None:
    comment = bot.get_issue(original).create_comment("/backport release/v1")
    first, second = comment.create_reaction("eyes"), comment.create_reaction("eyes")
    comment.create_reaction("rocket")
    assert first.id == second.id
    assert [one.content for one in comment.get_reactions()] == ["eyes", "rocket"]
    comment.delete_reaction(first.id)
    bot.get_issue(original).create_reaction("heart")
    assert bot.get_issue(original).get_comment(comment.id).reactions["rocket"] == 1
    assert [one.content for one in bot.get_issue(original).get_reactions()] == ["heart"]


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


def test_team_membership_is_told_and_denied(fake_github: FakeGitHub, people: People) -> None:
    fake_github.add_team("acme", "release", ["mia"])
    token = fake_github.add_user("mia")
    team = people.client(token).get_organization("acme").get_team_by_slug("release")
    assert [user.login for user in team.get_members()] == ["mia"]
    assert team.get_team_membership("mia").state == "active"
    fake_github.add_user("zoe")
    with pytest.raises(UnknownObjectException):
        team.get_team_membership("zoe")


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
    again = bot.get_pull(pull.number)
    assert (again.commits, again.changed_files, again.additions) == (1, 1, 1)
    assert (again.mergeable, again.mergeable_state, again.head.sha) == (True, "clean", sha)
    assert {label.name for label in again.labels} == {"backport", "proven"}
    assert [user.login for user in again.requested_reviewers] == ["mia"]
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
    commit = bot.get_git_commit(branch_from("topic", "main"))
    element = InputGitTreeElement("a\tb.py", "100644", "blob", content="x\n")
    tree = bot.create_git_tree([element], bot.get_git_tree(commit.tree.sha))
    bot.get_git_ref("heads/topic").edit(bot.create_git_commit("Add", tree, [commit]).sha)
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
    assert bot.compare("release/v1", "main").ahead_by == 1
    content = bot.get_contents("buffer.py", ref="release/v2")
    assert not isinstance(content, list)
    assert content.decoded_content == b"size = 1\nunit = 2\nname = 'kv'\n"


def test_search_finds_by_marker_label_and_state(original: int, people: People, bot: Repository) -> None:
    bot.get_issue(original).create_comment("<!-- backport:7:release/v1 -->")
    client = people.client(people.fake_github.add_token("backport-bot[bot]"))
    assert [one.number for one in client.search_issues('"backport:7:release/v1"', repo=NAME)] == [original]
    assert client.search_issues("is:pr is:merged label:bug", repo=NAME).totalCount == 1
    assert client.search_issues("is:pr is:open", repo=NAME).totalCount == 0


def test_check_run_is_updated_and_only_the_newest_is_listed(bot: Repository) -> None:
    sha = bot.get_branch("main").commit.sha
    old = bot.create_check_run("suite", sha, status="in_progress")
    bot.create_check_run("suite", sha, status="queued")
    old.edit(status="completed", conclusion="failure", output={"title": "t", "summary": "s"})
    assert [run.status for run in bot.get_commit(sha).get_check_runs()] == ["queued"]
    assert bot.get_commit(sha).get_check_runs(filter="all").totalCount == 2
    assert bot.get_check_run(old.id).output.summary == "s"


def test_labels_milestones_and_assignees_live_on_the_issue(maintainer: Repository) -> None:
    label = maintainer.create_label("backport release/v1", "d73a4a", "asks for a backport")
    milestone = maintainer.create_milestone("v1.0.1")
    issue = maintainer.create_issue("Overflow", labels=[label], milestone=milestone, assignees=["mia"])
    assert (issue.labels[0].description, issue.milestone.number, issue.assignees[0].login) == (
        label.description,
        1,
        "mia",
    )
    issue.remove_from_labels("backport release/v1")
    issue.set_labels("one", "two")
    assert [one.name for one in maintainer.get_issue(issue.number).labels] == ["one", "two"]
    issue.edit(state="closed", state_reason="not_planned")
    assert maintainer.get_issues(state="closed")[0].state_reason == "not_planned"
    assert [event.event for event in issue.get_events()][:2] == ["assigned", "unlabeled"]


def test_pull_request_of_a_fork_has_its_objects_in_the_base(people: People, maintainer: Repository) -> None:
    outsider = people.client(people.fake_github.add_user("fred")).get_repo(NAME)
    fork = outsider.create_fork()
    assert (fork.full_name, fork.parent.full_name) == ("fred/engine", NAME)
    base, other = (fork.get_git_commit(fork.get_branch(name).commit.sha) for name in ("main", "release/v2"))
    sha = fork.create_git_commit("Fork it", other.tree, [base]).sha
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
        lambda: bot.get_label("nope"),
    ):
        with pytest.raises(GithubException) as refusal:
            ask()
        assert refusal.value.status == 404
