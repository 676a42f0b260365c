"""What GitHub refuses while a backport is published is told with its remedy; what is only early is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.commands.triggers import ChangeTrigger
from bot.config import parse_config
from bot.github.client import GitHubClient
from bot.handlers.serve_trigger import answer
from bot.models import Conflicted, Failed, Opened, TargetOutcome
from tests.pipeline.landing import unproven
from tests.pipeline.office import BOT, MAINTAINER, REPOSITORY, Office, git, with_pick

ASK = "/backport release/1.2"
NO_PROVE = "permissions: {no_prove: write}"  # a backport that skips the proof opens as a draft
OPEN = f"^/repos/{REPOSITORY}/pulls$"
UNKNOWN_HEAD = {
    "message": "Validation Failed",
    "errors": [{"resource": "PullRequest", "field": "head", "code": "invalid"}],
    "documentation_url": "https://docs.github.com/rest/pulls/pulls#create-a-pull-request",
    "status": "422",
}


def ask(office: Office) -> TargetOutcome:
    (result,) = office.say(ASK, on=9)
    return result


@pytest.fixture
def hasty(office: Office) -> Iterator[Office]:
    """Return the office with a bot that waits for nothing longer than a second and a half."""
    client = GitHubClient(
        REPOSITORY,
        token=office.fake_github.add_token(BOT),
        api_url=office.fake_github.api_url,
        with_pauses=False,
        longest_wait=1.5,
    )
    yield unproven(replace(office, context=replace(office.context, github=client)))
    client.close()


def test_a_rule_that_refuses_the_push_is_told_by_its_words_and_remedy(office: Office) -> None:
    office.fake_github.refuse_pushes(
        REPOSITORY,
        "push declined due to repository rule violations",
        "error: GH013: Repository rule violations found.\n\n- Commits must have verified signatures @mia `#7`.",
    )
    outcome = ask(unproven(office))
    assert isinstance(outcome, Failed)
    assert "GH013" in outcome.message
    assert "commit.verified" in outcome.hint
    (reply,) = office.answers(9)
    assert "Commits must have verified signatures" in reply
    assert "@mia" not in reply
    assert office.backports() == []


def test_an_archived_repository_is_told_as_such(office: Office) -> None:
    lenient = unproven(office)
    comment = office.issue(9).create_comment(ASK)
    office.fake_github.archive(REPOSITORY)
    (outcome,) = lenient.serve(comment.id, ASK, on=9)
    assert isinstance(outcome, Failed)
    assert "archived" in outcome.hint


def test_a_pull_request_that_comes_too_early_is_asked_for_again(office: Office) -> None:
    office.fake_github.fail_next("POST", OPEN, 422, body=UNKNOWN_HEAD)
    assert isinstance(ask(unproven(office)), Opened)


def test_a_pushed_branch_without_its_pull_request_is_told_with_the_way_to_open_it(hasty: Office) -> None:
    for _ in range(3):
        hasty.fake_github.fail_next("POST", OPEN, 422, body=UNKNOWN_HEAD)
    outcome = ask(hasty)
    assert isinstance(outcome, Failed)
    assert "422 Validation Failed; PullRequest.head is invalid" in outcome.message
    assert "`backport/9-to-release-1.2` is pushed and has no pull request" in outcome.message
    assert f"{REPOSITORY}/compare/release/1.2...backport/9-to-release-1.2?expand=1" in outcome.hint
    hasty.fake_github.fail_no_more()
    assert isinstance(ask(hasty), Opened)


def test_a_plan_without_drafts_is_named_and_the_way_out_given(office: Office) -> None:
    office.fake_github.switch_off(REPOSITORY, "drafts")
    (outcome,) = unproven(office, NO_PROVE).say(f"{ASK} --no-prove", on=9)
    assert isinstance(outcome, Failed)
    assert "no draft pull requests" in outcome.hint
    assert "/compare/release/1.2..." in outcome.hint


def test_a_plan_without_drafts_gets_an_ordinary_pull_request_where_that_is_configured(office: Office) -> None:
    office.fake_github.switch_off(REPOSITORY, "drafts")
    office.fake_github.require_checks(REPOSITORY, "release/1.2", ["ci"])
    lenient = unproven(office, f"publish: {{drafts: preferred, auto_merge: squash}}\n{NO_PROVE}")
    (outcome,) = lenient.say(f"{ASK} --no-prove", on=9)
    assert isinstance(outcome, Opened)
    assert not outcome.pull_request.draft
    (pull,) = office.backports()
    assert pull.raw_data["auto_merge"] is None
    assert "Review this as an unproven change" in pull.body
    assert "do not merge it unreviewed" in office.answers(9)[0]


def test_a_conflict_that_cannot_be_a_draft_keeps_its_commands_and_leaves_no_branch(office: Office) -> None:
    office.fake_github.switch_off(REPOSITORY, "drafts")
    lenient = unproven(office, "publish: {on_conflict: draft, drafts: preferred}\npick: {propose: false}")
    (conflict,) = lenient.say("/backport release/1.1")
    assert isinstance(conflict, Conflicted)
    assert conflict.draft is None, "markers never stand in an ordinary pull request"
    (reply,) = office.answers()
    assert "Draft pull requests are not supported in this repository" in reply
    assert "cherry-pick -x" in reply
    assert [name for name in office.branches() if name.startswith("backport/")] == []


def test_markers_are_told_of_where_the_pull_request_cannot_be_sent_back(office: Office) -> None:
    lenient = unproven(office, "publish: {on_conflict: draft}\npick: {propose: false}")
    (conflict,) = lenient.say("/backport release/1.1")
    assert isinstance(conflict, Conflicted)
    assert conflict.draft is not None
    number = conflict.draft.number
    office.people[MAINTAINER].get_repo(REPOSITORY).get_pull(number).mark_ready_for_review()
    office.fake_github.switch_off(REPOSITORY, "drafts")
    answer(ChangeTrigger(repository=REPOSITORY, pull_request=number), lenient.context)
    (reply,) = office.answers(number)
    assert "GitHub does not let it be a draft" in reply


def test_auto_merge_that_is_switched_off_is_told(office: Office) -> None:
    office.fake_github.switch_off(REPOSITORY, "auto_merge")
    config = parse_config(f"repository: {REPOSITORY}\nprove: {{device: cpu}}\npublish: {{auto_merge: squash}}\n")
    automatic = replace(office, context=with_pick(office.context, config=config))
    (outcome,) = automatic.say(ASK)
    assert isinstance(outcome, Opened)
    (reply,) = office.answers()
    assert "does not merge by itself" in reply
    assert "Allow auto-merge" in reply


def test_a_backport_opened_by_hand_is_recognised_and_its_author_named(office: Office) -> None:
    lenient = unproven(office, "pick: {propose: false}")
    (conflict,) = lenient.say("/backport release/1.1")
    assert isinstance(conflict, Conflicted)
    tree = git(office.git_dir, "rev-parse", "release/1.1^{tree}")
    original = git(office.git_dir, "rev-parse", "pull-7^{commit}")
    message = f"By hand\n\n(cherry picked from commit {original})"
    sha = git(office.git_dir, "commit-tree", tree, "-p", "release/1.1", "-m", message)
    git(office.git_dir, "branch", "backport/7-to-release-1.1", sha)
    office.people[MAINTAINER].get_repo(REPOSITORY).create_pull(
        base="release/1.1", head="backport/7-to-release-1.1", title="By hand", body="Backport of #7"
    )
    (outcome,) = lenient.say("/backport release/1.1")
    assert isinstance(outcome, Opened)
    assert not outcome.created
    assert f"{MAINTAINER} opened it; nothing was pushed" in office.answers()[-1]
