"""Nobody speaks for somebody else: what people with write access, and other workflows, can write into comments."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from github.PullRequest import PullRequest

from bot.commands.triggers import MergeTrigger, parse_delivery
from bot.environment.signing import SigningKey
from bot.github.client import GitHubClient
from bot.handlers import reconcile as reconcile_module
from bot.handlers.reconcile import reconcile
from bot.handlers.serve_trigger import answer
from bot.models import Opened, TargetOutcome
from tests.pipeline.landing import open_pull, unproven, write
from tests.pipeline.office import BOT, MAINTAINER, REPOSITORY, Office

ASK = "/backport release/1.2"
ADMIN, WRITER = "ann", MAINTAINER
SHARED = "github-actions[bot]"


@pytest.fixture
def keyless(office: Office) -> Office:
    """Return an office as in a workflow run, which has no secret that lasts."""
    office.fake_github.grant(REPOSITORY, ADMIN, "admin")
    return unproven(office)


@pytest.fixture
def keyed(keyless: Office) -> Office:
    """Return an office that signs what it must believe later."""
    return _with_key(keyless)


def _with_key(office: Office, secret: str = "hush") -> Office:  # noqa: S107 - a test's
    return replace(office, context=replace(office.context, signing_key=SigningKey.derive(secret)))


def _open_pull(office: Office, name: str = "topic") -> PullRequest:
    write(office, name, {f"widget/{name}.py": "A = 1\n"}, name.title(), onto="main")
    return open_pull(office, name, title=name.title())


def _merge(office: Office, pull: PullRequest) -> tuple[TargetOutcome, ...]:
    pull.merge(merge_method="squash")
    trigger = MergeTrigger(repository=REPOSITORY, pull_request=pull.number, sender=MAINTAINER, labels=())
    return answer(trigger, office.context)


def _rewrite(office: Office, number: int, body: str, *, by: str = WRITER) -> None:
    """Edit the bot's first answer on a pull request as somebody with write access."""
    theirs = office.people[by].get_repo(REPOSITORY).get_issue(number).get_comments()
    next(comment for comment in theirs if comment.user.login == BOT).edit(body)


def _kept_line(office: Office, number: int) -> str:
    return office.answers(number)[0].split("\n")[1]


def _look_at_github(office: Office, monkeypatch: pytest.MonkeyPatch) -> tuple[TargetOutcome, ...]:
    monkeypatch.setattr(reconcile_module, "_LONGEST", timedelta(seconds=-1))
    return reconcile(office.context, since=datetime.now(UTC) - timedelta(hours=1))


# --- the bot's own comments -------------------------------------------------------------------------------------------


def test_without_a_key_a_forged_line_changes_nothing_about_what_was_asked(keyless: Office) -> None:
    pull = _open_pull(keyless)
    keyless.say(ASK, on=pull.number, as_=ADMIN)
    forged = keyless.answers(pull.number)[0].replace("release/1.2 by", "release/1.2%20-%2Dno-prove by")
    _rewrite(keyless, pull.number, forged)
    (outcome,) = _merge(keyless, pull)
    assert isinstance(outcome, Opened)
    assert outcome.verdict is not None


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.replace("release/1.2 by", "release/1.2%20-%2Dno-prove by"),
        lambda line: line.replace("by=ann", "by=mia"),
        lambda line: line.replace("remembered", "started"),
        lambda line: re.sub(r"at=\d+", "at=1", line),
        lambda line: re.sub(r"signature=\w{3}", "signature=000", line),
        lambda line: re.sub(r" by=.* -->", " -->", line),
    ],
    ids=["command", "requester", "kind", "time", "signature", "unsigned"],
)
def test_with_a_key_a_line_that_was_changed_is_not_believed_and_the_answer_says_so(
    keyed: Office, change: object
) -> None:
    assert callable(change)
    pull = _open_pull(keyed)
    keyed.say(ASK, on=pull.number, as_=ADMIN)
    line = _kept_line(keyed, pull.number)
    assert change(line) != line
    _rewrite(keyed, pull.number, keyed.answers(pull.number)[0].replace(line, change(line)))
    assert _merge(keyed, pull) == ()
    assert "This reply was edited" in keyed.answers(pull.number)[0]
    assert keyed.backports() == []


def test_with_a_key_a_line_that_nobody_changed_is_believed(keyed: Office) -> None:
    pull = _open_pull(keyed)
    keyed.say(ASK, on=pull.number, as_=ADMIN)
    (outcome,) = _merge(keyed, pull)
    assert isinstance(outcome, Opened)


def test_a_signed_line_counts_in_the_one_answer_that_it_was_written_into(keyed: Office) -> None:
    first, second = _open_pull(keyed, "first"), _open_pull(keyed, "second")
    keyed.say(ASK, on=first.number, as_=ADMIN)
    keyed.say(ASK, on=second.number, as_=ADMIN)
    replayed = keyed.answers(second.number)[0].replace(
        _kept_line(keyed, second.number), _kept_line(keyed, first.number)
    )
    _rewrite(keyed, second.number, replayed)
    assert _merge(keyed, second) == ()


def test_a_line_signed_with_another_secret_is_not_believed(keyed: Office) -> None:
    pull = _open_pull(keyed)
    keyed.say(ASK, on=pull.number, as_=ADMIN)
    assert _merge(_with_key(keyed, "another"), pull) == ()


@pytest.mark.parametrize("signing", [True, False], ids=["with a key", "without"])
def test_an_answer_to_somebody_who_asked_for_nothing_is_no_request_of_theirs(
    keyless: Office, monkeypatch: pytest.MonkeyPatch, *, signing: bool
) -> None:
    office = _with_key(keyless) if signing else keyless
    thanks = office.issue(9, as_=ADMIN).create_comment("Looks good to me.")
    office.say("/backport status", on=9)
    kept_text = "<!-- backport-bot:started:/backport%20release/1.2%20-%2Dno-prove -->"
    _rewrite(office, 9, f"<!-- backport-bot:status:comment-{thanks.id}-0 -->\n{kept_text}\n")
    assert _look_at_github(office, monkeypatch) == ()
    assert office.backports() == []


def test_a_request_that_has_ended_is_not_begun_again_by_a_forged_line(
    keyed: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed.say(f"{ASK} --dry-run", on=9, as_=ADMIN)
    body = keyed.answers(9)[0].split("\n")
    _rewrite(keyed, 9, "\n".join([body[0], "<!-- backport-bot:started:/backport%20release/1.2 -->", *body[1:]]))
    assert _look_at_github(keyed, monkeypatch) == ()
    assert keyed.backports() == []


def test_a_marker_that_somebody_else_put_into_the_bots_mouth_is_none(keyless: Office) -> None:
    keyless.say("/backport <!--\tbackport-bot:status:label-release/1.2 -->", on=9)
    before = keyless.answers(9)
    keyless.issue(9).add_to_labels("backport release/1.2")
    merged = {"action": "labeled", "label": {"name": "backport release/1.2"}, "sender": {"login": MAINTAINER}}
    trigger = parse_delivery(
        "pull_request", merged | {"pull_request": {"number": 9}, "repository": {"full_name": REPOSITORY}}
    )
    assert trigger is not None
    (outcome,) = answer(trigger, keyless.context)
    assert isinstance(outcome, Opened)
    assert keyless.answers(9)[0] == before[0]
    assert len(keyless.answers(9)) == len(before) + 1


# --- comments of people -----------------------------------------------------------------------------------------------


def test_words_put_into_somebody_elses_comment_are_no_command_be_it_within_the_same_second(
    keyless: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    thanks = keyless.issue(9, as_=ADMIN).create_comment("Thanks!")
    keyless.issue(9, as_=WRITER).get_comment(thanks.id).edit(f"{ASK} --no-prove")
    client = keyless.context.github
    assert isinstance(client, GitHubClient)
    assert parse_delivery("issue_comment", client.comment_delivery(thanks.id), own_login=BOT) is None
    assert _look_at_github(keyless, monkeypatch) == ()
    assert keyless.backports() == []


def test_an_unedited_comment_that_is_named_by_its_number_is_a_command(keyless: Office) -> None:
    comment = keyless.issue(9, as_=ADMIN).create_comment(ASK)
    client = keyless.context.github
    assert isinstance(client, GitHubClient)
    assert parse_delivery("issue_comment", client.comment_delivery(comment.id), own_login=BOT) is not None


def test_a_comment_edited_into_a_cancellation_cancels_nothing(keyless: Office) -> None:
    comment = keyless.issue(9, as_=ADMIN).create_comment(ASK)
    keyless.issue(9, as_=ADMIN).create_comment("Thanks!").edit("/backport cancel")
    (outcome,) = keyless.serve(comment.id, ASK, on=9, author=ADMIN)
    assert isinstance(outcome, Opened)


# --- other accounts ---------------------------------------------------------------------------------------------------


@pytest.fixture
def shared(keyless: Office) -> Office:
    """Return an office whose bot writes in the name in which every workflow of the repository writes."""
    token = keyless.fake_github.add_user(SHARED, type="Bot")
    keyless.fake_github.grant(REPOSITORY, SHARED, "write")
    client = GitHubClient(REPOSITORY, token=token, api_url=keyless.fake_github.api_url, login=SHARED, with_pauses=False)
    return replace(keyless, context=replace(keyless.context, github=client))


def _foreign_comment(office: Office, asked: int, body: str = "") -> int:
    marker = f"<!-- backport-bot:status:comment-{asked}-0 -->\n"
    office.fake_github.seed_comment(REPOSITORY, 9, author=SHARED, body=marker + body)
    return max(comment.id for comment in office.issue(9).get_comments())


def test_with_a_key_a_comment_of_another_workflow_is_not_the_bots(shared: Office) -> None:
    office = _with_key(shared)
    comment = office.issue(9, as_=ADMIN).create_comment(ASK)
    foreign = _foreign_comment(office, comment.id, "Not the bot's")
    (outcome,) = office.serve(comment.id, ASK, on=9, author=ADMIN)
    assert isinstance(outcome, Opened)
    assert office.issue(9).get_comment(foreign).body.endswith("Not the bot's")
    office.serve(comment.id, ASK, on=9, author=ADMIN)
    assert sum(comment.user.login == SHARED for comment in office.issue(9).get_comments()) == 2


def test_without_a_key_a_comment_of_another_workflow_makes_no_request(
    shared: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    thanks = shared.issue(9, as_=ADMIN).create_comment("Thanks!")
    _foreign_comment(shared, thanks.id, "<!-- backport-bot:started:/backport%20release/1.2 -->\n")
    assert _look_at_github(shared, monkeypatch) == ()
    assert shared.backports() == []


def test_an_account_is_the_bots_in_whatever_case_its_name_is_configured(keyless: Office) -> None:
    token = keyless.fake_github.add_token(BOT)
    client = GitHubClient(
        REPOSITORY, token=token, api_url=keyless.fake_github.api_url, login=BOT.title(), with_pauses=False
    )
    office = replace(keyless, context=replace(keyless.context, github=client))
    office.say("/backport release/1.2 release/1.1", on=9)
    assert len(office.answers(9)) == 1
