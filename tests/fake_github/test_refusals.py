"""What GitHub refuses, the fake GitHub refuses with the same status and words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from github.GithubException import GithubException
from github.Repository import Repository

from bot.fake_github import FakeGitHub
from tests.fake_github.conftest import NAME, People

Branch = Callable[[str, str], str]


def refusal(ask: Callable[[], object]) -> tuple[int, str]:
    """Return the status and the most telling message of a refusal."""
    with pytest.raises(GithubException) as error:
        ask()
    data = error.value.data
    assert isinstance(data, dict)
    errors = data.get("errors") or [{}]
    return error.value.status, errors[0].get("message") or errors[0].get("field") or data["message"]


def test_bad_token_is_401(people: People) -> None:
    assert refusal(lambda: people.client("ghp_nonsense").get_user().login) == (401, "Bad credentials")


def test_reader_may_comment_but_not_write(people: People, original: int) -> None:
    reader = people.repository("rita", "read")
    reader.get_issue(original).create_comment("hello")
    sha = reader.get_branch("main").commit.sha
    for ask in (
        lambda: reader.create_git_ref("refs/heads/x", sha),
        lambda: reader.get_issue(original).add_to_labels("x"),
        lambda: reader.get_pull(original).merge(),
        lambda: reader.create_milestone("1.0"),
        lambda: reader.create_check_run("x", sha),
    ):
        assert refusal(ask)[0] == 403


def test_private_repository_is_404_for_strangers(fake_github: FakeGitHub, people: People) -> None:
    fake_github.create_repository("acme/secret", private=True)
    stranger = people.client(fake_github.add_user("stranger"))
    assert refusal(lambda: stranger.get_repo("acme/secret")) == (404, "Not Found")


def test_person_cannot_write_check_runs(maintainer: Repository) -> None:
    sha = maintainer.get_branch("main").commit.sha
    assert refusal(lambda: maintainer.create_check_run("x", sha)) == (403, "You must authenticate via a GitHub App.")


def test_duplicate_pull_request_is_422(bot: Repository, branch_from: Branch) -> None:
    branch_from("topic", "main")
    bot.create_pull(title="one", body="", head="topic", base="main")
    status, message = refusal(lambda: bot.create_pull(title="two", body="", head="acme:topic", base="main"))
    assert (status, message) == (422, "A pull request already exists for acme:topic.")


@pytest.mark.parametrize(
    ("head", "base", "message"),
    [
        ("nope", "main", "head"),
        ("main", "nope", "base"),
        ("acme:nope", "main", "head"),
        ("nobody:main", "main", "head"),
        ("release/v1", "main", "No commits between main and release/v1"),
    ],
)
def test_impossible_pull_request_is_422(head: str, base: str, message: str, bot: Repository) -> None:
    assert refusal(lambda: bot.create_pull(title="t", body="", head=head, base=base)) == (422, message)


def test_refs_are_refused_as_on_github(bot: Repository) -> None:
    main, old = bot.get_branch("main").commit.sha, bot.get_branch("release/v1").commit.sha
    assert refusal(lambda: bot.create_git_ref("refs/heads/main", main)) == (422, "Reference already exists")
    assert refusal(lambda: bot.create_git_ref("refs/heads/x", "0" * 40)) == (422, "Object does not exist")
    assert refusal(lambda: bot.create_git_ref("refs/heads/a..b", main))[0] == 422
    ref = bot.get_git_ref("heads/main")
    assert refusal(lambda: ref.edit(old)) == (422, "Update is not a fast forward")
    ref.edit(old, force=True)
    assert bot.get_branch("main").commit.sha == old


def test_conflicting_pull_request_does_not_merge(bot: Repository) -> None:
    pull = bot.create_pull(title="t", body="", head="main", base="release/v2")
    assert (pull.mergeable, pull.mergeable_state) == (False, "dirty")
    assert pull.raw_data["merge_commit_sha"] is None
    assert refusal(pull.merge) == (405, "Pull Request is not mergeable")


def test_merge_of_a_head_that_moved_is_409(bot: Repository, branch_from: Branch) -> None:
    branch_from("topic", "main")
    pull = bot.create_pull(title="t", body="", head="topic", base="main")
    assert refusal(lambda: pull.merge(sha="1" * 40))[0] == 409
    pull.merge()
    assert refusal(pull.merge)[0] == 405


def test_comment_of_somebody_else_stays_as_it_is(people: People, original: int, maintainer: Repository) -> None:
    comment = maintainer.get_issue(original).create_comment("mine")
    comment_of_other = people.repository("rita", "triage").get_issue(original).get_comment(comment.id)
    assert refusal(lambda: comment_of_other.edit("yours"))[0] == 403
    assert refusal(comment_of_other.delete)[0] == 403


def test_malformed_values_are_422(original: int, bot: Repository) -> None:
    comment = bot.get_issue(original).create_comment("x")
    assert refusal(lambda: comment.create_reaction("thumbsup")) == (422, "content")
    assert refusal(lambda: bot.get_issue(original).create_comment("")) == (422, "body")
    assert refusal(lambda: bot.get_issue(original).create_comment("x" * 65537))[0] == 422


def test_author_is_not_asked_to_review(bot: Repository, branch_from: Branch) -> None:
    branch_from("topic", "main")
    pull = bot.create_pull(title="t", body="", head="topic", base="main")
    assert refusal(lambda: pull.create_review_request(reviewers=["backport-bot[bot]"]))[0] == 422
    assert refusal(lambda: pull.create_review_request(reviewers=["nobody"]))[0] == 422


def test_unknown_repository_is_404(people: People) -> None:
    client = people.client(people.fake_github.add_user("ann"))
    assert refusal(lambda: client.get_repo(f"{NAME}-other"))[0] == 404


def test_what_the_plan_or_the_settings_do_not_allow_is_refused(
    fake_github: FakeGitHub, bot: Repository, branch_from: Branch
) -> None:
    branch_from("topic", "main")
    for feature in ("drafts", "auto_merge"):
        fake_github.switch_off(NAME, feature)
    no_drafts = "Draft pull requests are not supported in this repository."
    options: dict[str, Any] = {"title": "t", "body": "", "head": "topic", "base": "main"}
    assert refusal(lambda: bot.create_pull(**options, draft=True)) == (422, no_drafts)
    pull = bot.create_pull(**options)
    fields = {"pullRequestId": pull.node_id}
    for mutation, message in (
        ("convertPullRequestToDraft", no_drafts),
        ("enablePullRequestAutoMerge", "Auto merge is not allowed"),
    ):
        with pytest.raises(GithubException, match=message):
            bot.requester.graphql_named_mutation(mutation, fields, "clientMutationId")


def test_an_archived_repository_is_only_read(fake_github: FakeGitHub, bot: Repository, original: int) -> None:
    fake_github.archive(NAME)
    assert bot.get_issue(original).number == original
    reply = refusal(lambda: bot.get_issue(original).create_comment("x"))
    assert reply == (403, "Repository was archived so is read-only.")
