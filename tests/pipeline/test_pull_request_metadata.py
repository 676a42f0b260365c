"""What a backport pull request gets besides its branch: people, labels, check runs, what reviewers left open."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

import pytest
from github.PullRequest import PullRequest

from bot.config import parse_config
from bot.models import Conflicted, Opened
from tests.pipeline.landing import open_pull, unproven, write
from tests.pipeline.office import BOT, MAINTAINER, REPOSITORY, Office, git, with_pick

ASK = "/backport release/1.2"


def opened(office: Office, on: int = 9) -> PullRequest:
    """Ask, and return the backport pull request as GitHub has it."""
    (result,) = office.say(ASK, on=on)
    assert isinstance(result, Opened), result
    return office.people[MAINTAINER].get_repo(REPOSITORY).get_pull(result.pull_request.number)


def check_runs(office: Office, sha: str) -> Mapping[str, str | None]:
    """Return the conclusions of a commit's check runs by name."""
    runs = office.people[MAINTAINER].get_repo(REPOSITORY).get_commit(sha).get_check_runs()
    return {run.name: run.conclusion for run in runs}


def test_author_and_merger_are_asked_and_the_author_is_assigned(office: Office) -> None:
    office.fake_github.grant(REPOSITORY, "ann", "write")
    pull = opened(unproven(office))
    assert sorted(reviewer.login for reviewer in pull.requested_reviewers) == ["ann", MAINTAINER]
    assert [assignee.login for assignee in pull.assignees] == ["ann"]
    assert [label.name for label in pull.labels] == ["backport"]


def test_an_author_who_cannot_be_assigned_is_left_out_and_logged(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    """An original's author often is no collaborator, so nothing of it is a warning."""
    with caplog.at_level(logging.INFO, "bot"):
        pull = opened(unproven(office))
    assert pull.assignees == []
    assert [reviewer.login for reviewer in pull.requested_reviewers] == [MAINTAINER], "one refusal costs nobody else"
    assert "ann cannot be assigned" in caplog.text
    assert "ann is no collaborator" in caplog.text
    about_ann = [record for record in caplog.records if "ann" in record.getMessage()]
    assert [record.levelname for record in about_ann] == ["INFO", "INFO"]


def test_labels_and_milestone_are_copied_by_policy_and_a_label_that_asks_is_not(office: Office) -> None:
    policy = "publish: {copy_labels: ['area/*', 'backport *', '[Type] Bug'], copy_milestone: true}"
    issue = office.issue(9)
    issue.add_to_labels("area/ring", "backport release/1.0", "bug", "[Type] Bug")
    milestone = office.people[MAINTAINER].get_repo(REPOSITORY).create_milestone("1.2.1")
    issue.edit(milestone=milestone)
    pull = opened(unproven(office, policy))
    assert sorted(label.name for label in pull.labels) == ["[Type] Bug", "area/ring", "backport"]
    assert pull.milestone is not None
    assert pull.milestone.title == "1.2.1"


def test_unresolved_review_threads_of_the_original_are_listed_with_links(office: Office) -> None:
    for _ in range(101):
        office.fake_github.seed_review_thread(
            REPOSITORY, 9, author="otto", path="widget/hello.py", line=1, body="Settled.", resolved=True
        )
    thread = {"author": "otto", "path": "widget/hello.py", "line": 1}
    office.fake_github.seed_review_thread(REPOSITORY, 9, **thread, body="Why not `hi`, @mia? Fixes #3")  # type: ignore[arg-type]
    body = opened(unproven(office)).body
    assert "Unresolved review threads of the original" in body
    assert "[`widget/hello.py:1`](<http" in body
    assert "Why not" in body
    assert "Settled." not in body
    assert "@mia?" not in body.replace("@\u2060mia", "")


def test_the_difference_from_the_original_is_in_a_fold(office: Office) -> None:
    office.say("/backport release/1.1")
    (adapted,) = office.backports()
    assert "range-diff" in adapted.body
    assert "bytearray(slots * width)" in adapted.body


def test_each_branch_is_a_check_run_on_the_original_and_the_proof_on_the_backport(office: Office) -> None:
    office.say("/backport release/1.0 release/1.2")
    (backport,) = office.backports()
    assert check_runs(office, backport.head.sha) == {"backport proof": "success"}
    original = office.context.github.pull_request(7)
    assert check_runs(office, original.head_sha) == {
        "backport to release/1.0": "neutral",
        "backport to release/1.2": "success",
    }


def test_a_check_run_is_brought_up_to_date_and_not_doubled(office: Office) -> None:
    lenient = unproven(office, "pick: {propose: false}")
    (result,) = lenient.say("/backport release/1.1")
    assert isinstance(result, Conflicted)
    tree = git(office.git_dir, "rev-parse", "release/1.2^{tree}")
    moved_sha = git(office.git_dir, "commit-tree", tree, "-p", "release/1.1", "-m", "Remember the sizes")
    git(office.git_dir, "update-ref", "refs/heads/release/1.1", moved_sha)
    lenient.say("/backport release/1.1")
    head = office.context.github.pull_request(7).head_sha
    runs = list(office.people[MAINTAINER].get_repo(REPOSITORY).get_commit(head).get_check_runs(filter="all"))
    assert [(run.name, run.conclusion) for run in runs] == [("backport to release/1.1", "success")]


def test_a_token_that_may_not_write_check_runs_opens_all_the_same(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.fake_github.world.users[BOT].type = "User"
    assert opened(unproven(office)).state == "open"
    assert "check run" in caplog.text


@pytest.mark.parametrize("redo", [False, True])
def test_what_is_proven_merges_by_itself_where_that_is_configured(office: Office, redo: bool) -> None:
    settings = "prove: {device: cpu}\npublish: {auto_merge: squash}"
    config = parse_config(f"repository: {REPOSITORY}\n{settings}\n")
    office.fake_github.require_checks(REPOSITORY, "release/1.2", ["ci"])
    automatic = replace(office, context=with_pick(office.context, config=config))
    automatic.say(ASK)
    if redo:
        automatic.say(f"{ASK} --redo")
    (pull,) = office.backports()
    assert pull.raw_data["auto_merge"]["merge_method"] == "squash"


def test_what_is_not_proven_never_merges_by_itself(office: Office) -> None:
    """#9 has no tests: it opens as an ordinary pull request, which a person merges."""
    office.fake_github.require_checks(REPOSITORY, "release/1.2", ["ci"])
    pull = opened(unproven(office, "publish: {auto_merge: squash}"))
    assert not pull.draft
    assert pull.raw_data["auto_merge"] is None


def test_a_bot_that_merged_is_not_asked_for_a_review(office: Office) -> None:
    lenient = unproven(office)
    write(lenient, "topic", {"widget/first.py": "A = 1\n"}, "First", onto="main")
    pull = open_pull(lenient, "topic", title="First")
    office.people[BOT].get_repo(REPOSITORY).get_pull(pull.number).merge(merge_method="squash")
    assert [reviewer.login for reviewer in opened(lenient, pull.number).requested_reviewers] == [MAINTAINER]


def test_reviewers_assignees_and_teams_of_the_original_are_copied_and_the_refused_are_named(office: Office) -> None:
    """Approvals count by each person's last word; who was asked and did not answer is asked again."""
    for login, level in (("otto", "write"), ("ann", "write"), ("rita", "write"), ("gone", "write")):
        office.fake_github.grant(REPOSITORY, login, level)
        if login not in office.people:
            office.person(login)
    office.fake_github.add_team("acme", "kernels", ["rita"])
    original = office.people[MAINTAINER].get_repo(REPOSITORY).get_pull(9)
    original.create_review_request(reviewers=["rita", "gone"], team_reviewers=["kernels"])
    for login, event in (("otto", "APPROVE"), ("otto", "COMMENT"), ("gone", "APPROVE"), ("gone", "REQUEST_CHANGES")):
        office.people[login].get_repo(REPOSITORY).get_pull(9).create_review(body="Read.", event=event)
    office.issue(9).add_to_assignees("otto", "gone")
    office.fake_github.grant(REPOSITORY, "gone", "none")
    policy = "publish: {copy_assignees: true, copy_reviewers: true, reviewers: [gone]}"
    lenient = unproven(office, policy)
    (result,) = lenient.say(ASK, on=9)
    assert isinstance(result, Opened)
    pull = office.people[MAINTAINER].get_repo(REPOSITORY).get_pull(result.pull_request.number)
    assert sorted(reviewer.login for reviewer in pull.requested_reviewers) == ["otto", "rita"]
    assert [team.slug for team in pull.requested_teams] == ["kernels"]
    assert sorted(assignee.login for assignee in pull.assignees) == ["ann", "otto"]
    assert result.notes == (
        "Not assigned, as GitHub does not accept them here: gone.",
        "Not asked for a review, as GitHub does not accept them here: gone.",
    )
    assert "Not assigned, as GitHub does not accept them here: gone." in lenient.answers(9)[-1]


def test_without_the_keys_nobody_is_copied_and_the_reviews_are_not_read(office: Office) -> None:
    office.fake_github.grant(REPOSITORY, "otto", "write")
    office.people["otto"].get_repo(REPOSITORY).get_pull(9).create_review(body="Good.", event="APPROVE")
    office.issue(9).add_to_assignees("otto")
    pull = opened(unproven(office))
    assert pull.assignees == []
    assert [reviewer.login for reviewer in pull.requested_reviewers] == [MAINTAINER]
    assert not [
        request
        for request in office.fake_github.requests()
        if request.path.endswith("/pulls/9/reviews") and request.method == "GET"
    ]


def test_the_description_of_the_original_is_in_the_body_and_mentions_nobody(office: Office) -> None:
    original = office.people["ann"].get_repo(REPOSITORY).get_pull(9)
    original.edit(body="<!-- Describe it. -->\nSays **hello**, @otto.\n\nFixes #3")
    body = opened(unproven(office)).body
    assert "> Says **hello**, @\u2060otto.\n>\n> Fixes (#3)" in body
    assert "Issues of the original: #3." in body
    assert "Describe it" not in body
    unproven(office, "publish: {description: none}").say(f"{ASK} --redo", on=9)
    (pull,) = office.backports()
    assert "hello**" not in pull.body
