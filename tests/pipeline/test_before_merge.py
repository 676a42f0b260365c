"""Asked before the merge, done at the merge; and what webhooks lost is found again."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pytest
from github.IssueComment import IssueComment
from github.PullRequest import PullRequest

from bot.commands.triggers import LabelTrigger, MergeTrigger
from bot.handlers import reconcile as reconcile_module
from bot.handlers.reconcile import reconcile
from bot.handlers.serve_trigger import answer
from bot.models import Opened, TargetOutcome
from bot.pipeline.run import RequestRun
from tests.pipeline.landing import open_pull, unproven, write
from tests.pipeline.office import MAINTAINER, REPOSITORY, Office

ASK = "/backport release/1.2"


@pytest.fixture
def lenient(office: Office) -> Office:
    """Return an office in which nothing is proven, so that nothing has to run."""
    return unproven(office)


@pytest.fixture
def pull(lenient: Office) -> PullRequest:
    """Open a pull request of one commit."""
    write(lenient, "topic", {"widget/first.py": "A = 1\n"}, "First", onto="main")
    return open_pull(lenient, "topic", title="First")


def merge(office: Office, pull: PullRequest) -> tuple[TargetOutcome, ...]:
    """Merge, and tell the bot."""
    pull.merge(merge_method="squash")
    return answer(
        MergeTrigger(repository=REPOSITORY, pull_request=pull.number, sender=MAINTAINER, labels=()), office.context
    )


def label(office: Office, pull: PullRequest, target: str = "release/1.2", *, as_: str = MAINTAINER) -> None:
    """Put a label on the pull request, and tell the bot."""
    name = f"backport {target}"
    office.issue(pull.number, as_=as_).add_to_labels(name)
    answer(
        LabelTrigger(repository=REPOSITORY, pull_request=pull.number, label=name, sender=as_, merged=False),
        office.context,
    )


def test_a_request_before_the_merge_is_remembered_and_done_at_the_merge(lenient: Office, pull: PullRequest) -> None:
    assert lenient.say(f"{ASK} --draft", on=pull.number) == ()
    assert "Remembered" in lenient.answers(pull.number)[0]
    assert lenient.reactions(pull.number) == ["eyes"]
    assert lenient.backports() == []
    (outcome,) = merge(lenient, pull)
    assert isinstance(outcome, Opened)
    (reply,) = lenient.answers(pull.number)
    assert "Remembered" not in reply
    assert f"#{outcome.pull_request.number}" in reply
    assert lenient.reactions(pull.number) == ["eyes", "rocket"]


def test_a_merge_without_a_request_says_and_does_nothing(lenient: Office, pull: PullRequest) -> None:
    lenient.issue(pull.number).create_comment("Nice, I would /backport this.")
    assert merge(lenient, pull) == ()
    assert lenient.answers(pull.number) == []


def test_the_merge_served_twice_has_the_effects_of_once(lenient: Office, pull: PullRequest) -> None:
    lenient.say(ASK, on=pull.number)
    merge(lenient, pull)
    before = lenient.answers(pull.number)
    trigger = MergeTrigger(repository=REPOSITORY, pull_request=pull.number, sender=MAINTAINER, labels=())
    assert answer(trigger, lenient.context) == ()
    assert lenient.answers(pull.number) == before
    assert len(lenient.backports()) == 1


def test_a_remembered_comment_that_was_edited_is_no_command_any_more_and_its_answer_says_so(
    lenient: Office, pull: PullRequest
) -> None:
    lenient.say(ASK, on=pull.number)
    _comment(lenient, pull).edit("/backport release/1.1 --no-prove")
    assert merge(lenient, pull) == ()
    assert "an edited comment is no command" in lenient.answers(pull.number)[0]
    assert lenient.reactions(pull.number) == ["eyes", "confused"]


def test_a_comment_edited_into_a_request_is_none(lenient: Office, pull: PullRequest) -> None:
    earlier = datetime.now(UTC) - timedelta(minutes=5)
    lenient.fake_github.seed_comment(REPOSITORY, pull.number, author=MAINTAINER, body="Nice.", created_at=earlier)
    _comment(lenient, pull).edit(ASK)
    assert merge(lenient, pull) == ()


def test_a_deleted_comment_takes_its_request_with_it(lenient: Office, pull: PullRequest) -> None:
    lenient.say(ASK, on=pull.number)
    _comment(lenient, pull).delete()
    assert merge(lenient, pull) == ()


def test_cancel_drops_what_is_remembered_and_says_so_in_both_places(lenient: Office, pull: PullRequest) -> None:
    lenient.say(ASK, on=pull.number)
    lenient.say("/backport cancel", on=pull.number)
    first_reply, reply = lenient.answers(pull.number)
    assert "will not be done" in first_reply
    assert "`release/1.2`" in reply
    assert merge(lenient, pull) == ()
    assert lenient.backports() == []


def test_the_permission_counts_that_the_requester_has_at_the_merge(lenient: Office, pull: PullRequest) -> None:
    lenient.fake_github.grant(REPOSITORY, "otto", "write")
    lenient.say(ASK, on=pull.number, as_="otto")
    lenient.fake_github.grant(REPOSITORY, "otto", "read")
    assert merge(lenient, pull) == ()
    assert "`write`" in lenient.answers(pull.number)[0]


def test_nobody_else_can_write_a_remembered_request(lenient: Office, pull: PullRequest) -> None:
    """The hidden line counts only in the bot's own comments."""
    lenient.say(ASK, on=pull.number)
    forged = lenient.answers(pull.number)[0].replace("release/1.2", "release/1.1")
    lenient.say("/backport cancel", on=pull.number)
    lenient.issue(pull.number, as_="otto").create_comment(forged)
    assert merge(lenient, pull) == ()


def test_a_branch_that_is_not_there_yet_is_told_before_the_merge(lenient: Office, pull: PullRequest) -> None:
    lenient.say("/backport release/1.3", on=pull.number)
    assert "no such branch so far" in lenient.answers(pull.number)[0]
    assert "`release/1.2`" in lenient.answers(pull.number)[0]


def test_a_label_before_the_merge_is_remembered_and_done_at_the_merge(lenient: Office, pull: PullRequest) -> None:
    label(lenient, pull)
    assert "Remembered" in lenient.answers(pull.number)[0]
    (outcome,) = merge(lenient, pull)
    assert isinstance(outcome, Opened)
    assert len(lenient.answers(pull.number)) == 1


def test_a_label_taken_off_again_is_not_done(lenient: Office, pull: PullRequest) -> None:
    label(lenient, pull)
    lenient.issue(pull.number).remove_from_labels("backport release/1.2")
    assert merge(lenient, pull) == ()


def test_at_the_merge_it_counts_who_put_the_label_there(lenient: Office, pull: PullRequest) -> None:
    """Neither the PR author nor the merger lends a permission to the one who labelled."""
    lenient.fake_github.grant(REPOSITORY, "otto", "triage")
    lenient.issue(pull.number, as_="otto").add_to_labels("backport release/1.2")
    assert merge(lenient, pull) == ()
    assert "`write`" in lenient.answers(pull.number)[0]


def test_a_merge_told_before_the_comment_serves_the_comment(lenient: Office, pull: PullRequest) -> None:
    comment = lenient.issue(pull.number).create_comment(ASK)
    (outcome,) = merge(lenient, pull)
    assert isinstance(outcome, Opened)
    lenient.serve(comment.id, ASK, on=pull.number)
    assert len(lenient.answers(pull.number)) == 1
    assert len(lenient.backports()) == 1


def test_a_lost_comment_and_a_lost_merge_are_found_by_a_look_at_github(lenient: Office, pull: PullRequest) -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    lenient.issue(pull.number).create_comment(ASK)
    assert reconcile(lenient.context, since=hour_ago) == ()
    assert "Remembered" in lenient.answers(pull.number)[0]
    pull.merge(merge_method="squash")
    (outcome,) = reconcile(lenient.context, since=hour_ago)
    assert isinstance(outcome, Opened)
    replies = lenient.answers(pull.number)
    assert reconcile(lenient.context, since=hour_ago) == ()
    assert lenient.answers(pull.number) == replies


def test_a_look_at_github_answers_no_comment_twice(lenient: Office) -> None:
    lenient.say("/backport status", on=7)
    before = lenient.answers(7)
    assert reconcile(lenient.context, since=datetime.now(UTC) - timedelta(hours=1)) == ()
    assert lenient.answers(7) == before


def test_a_request_among_more_comments_than_one_page_holds_is_found(lenient: Office, pull: PullRequest) -> None:
    for number in range(120):
        lenient.fake_github.seed_comment(REPOSITORY, pull.number, author="ann", body=f"Comment {number}")
    lenient.say(ASK, on=pull.number)
    (outcome,) = merge(lenient, pull)
    assert isinstance(outcome, Opened)
    assert len(lenient.answers(pull.number)) == 1


def _comment(office: Office, pull: PullRequest) -> IssueComment:
    return next(comment for comment in office.issue(pull.number).get_comments() if comment.user.login == MAINTAINER)


def test_a_crash_in_the_middle_loses_no_request(
    lenient: Office, pull: PullRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was first told of the merge died; the delivery comes again, or the next look at GitHub finds it."""
    lenient.say(f"{ASK} --draft", on=pull.number)
    with monkeypatch.context() as dying:
        dying.setattr(RequestRun, "run", lambda *_: sys.exit("killed"))
        with pytest.raises(SystemExit):
            merge(lenient, pull)
    assert "under way" in lenient.answers(pull.number)[0]
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert reconcile(lenient.context, since=hour_ago) == (), "it may be at work elsewhere"
    monkeypatch.setattr(reconcile_module, "_LONGEST", timedelta(seconds=-1))
    (outcome,) = reconcile(lenient.context, since=hour_ago)
    assert isinstance(outcome, Opened)
    assert outcome.pull_request.draft
    assert reconcile(lenient.context, since=hour_ago) == ()
    assert len(lenient.answers(pull.number)) == 1


def test_a_command_that_cannot_be_read_is_answered_though_its_webhook_was_lost(
    lenient: Office, pull: PullRequest
) -> None:
    pull.merge(merge_method="squash")
    now = datetime.now(UTC)
    for author, moment in ((MAINTAINER, now), ("guest", now), (MAINTAINER, now - timedelta(days=2))):
        lenient.fake_github.seed_comment(
            REPOSITORY, pull.number, author=author, body="/backport release/1.2 --dryrun", created_at=moment
        )
    for _ in range(2):
        assert reconcile(lenient.context, since=now - timedelta(hours=1)) == ()
        said = lenient.answers(pull.number)
        assert len(said) == 2, "the oldest may have been for another tool"
    assert "`--dry-run`" in said[0]
    assert "needs the `write` permission" in said[1]


def test_a_merge_told_again_after_a_crash_is_served(
    lenient: Office, pull: PullRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    lenient.say(ASK, on=pull.number)
    with monkeypatch.context() as dying:
        dying.setattr(RequestRun, "run", lambda *_: sys.exit("killed"))
        with pytest.raises(SystemExit):
            merge(lenient, pull)
    trigger = MergeTrigger(repository=REPOSITORY, pull_request=pull.number, sender=MAINTAINER, labels=())
    (outcome,) = answer(trigger, lenient.context)
    assert isinstance(outcome, Opened)
