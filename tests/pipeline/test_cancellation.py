"""`/backport cancel` stops what has not ended, wherever it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from bot.carried.load import CarriedPatch
from bot.commands.triggers import LabelTrigger
from bot.handlers.serve_trigger import answer
from bot.models import Cancelled, Candidate, Opened, Status, TargetOutcome, Verdict
from bot.pick.context import PickContext
from bot.pipeline import run
from bot.pipeline.cancellation import CancellationWatch
from bot.pipeline.prove import prove_candidate
from bot.proof.runner import Runner
from tests.pipeline.landing import unproven
from tests.pipeline.office import MAINTAINER, REPOSITORY, Office

BOTH = "/backport release/1.2 release/1.1"


def test_a_request_that_runs_is_stopped_before_it_pushes(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    prove = prove_candidate

    def prove_while_somebody_cancels(
        candidate: Candidate, patch: CarriedPatch | None, context: PickContext, runner: Runner
    ) -> Verdict:
        verdict = prove(candidate, patch, context, runner)
        office.issue(7).create_comment("/backport cancel")
        return verdict

    monkeypatch.setattr(run, "prove_candidate", prove_while_somebody_cancels)
    results = office.say(BOTH)
    assert [result.status for result in results] == [Status.CANCELLED, Status.CANCELLED]
    assert office.backports() == []
    assert not [branch for branch in office.branches() if branch.startswith("backport/")]
    assert "mia cancelled it" in office.answers()[0]


def test_a_request_that_waits_in_the_queue_is_stopped(office: Office) -> None:
    lenient = unproven(office)
    comment = office.issue(9).create_comment("/backport release/1.2")
    lenient.say("/backport cancel", on=9)
    (result,) = lenient.serve(comment.id, "/backport release/1.2", on=9)
    assert isinstance(result, Cancelled)
    assert office.backports() == []


def test_a_request_after_the_cancellation_is_served(office: Office) -> None:
    lenient = unproven(office)
    lenient.say("/backport cancel", on=9)
    (result,) = lenient.say("/backport release/1.2", on=9)
    assert isinstance(result, Opened)


def test_several_pull_requests_are_cancelled_apart(office: Office) -> None:
    lenient = unproven(office)
    comment = office.issue(9).create_comment("/backport release/1.2")
    lenient.say("/backport cancel", on=7)
    (result,) = lenient.serve(comment.id, "/backport release/1.2", on=9)
    assert isinstance(result, Opened)


@pytest.mark.parametrize("body", ["/backport cancel", "> /backport cancel"])
def test_whoever_may_not_cancel_cancels_nothing(office: Office, body: str) -> None:
    lenient = unproven(office)
    comment = office.issue(9).create_comment("/backport release/1.2")
    requester = "otto" if body.startswith("/") else MAINTAINER
    lenient.say(body, on=9, as_=requester)
    (result,) = lenient.serve(comment.id, "/backport release/1.2", on=9)
    assert isinstance(result, Opened)


def test_a_listed_person_may_cancel_whatever_their_level(office: Office) -> None:
    lenient = unproven(office, "permissions: {users: [Otto]}")
    comment = office.issue(9).create_comment("/backport release/1.2")
    lenient.say("/backport cancel", on=9, as_="otto")
    (result,) = lenient.serve(comment.id, "/backport release/1.2", on=9)
    assert isinstance(result, Cancelled)
    assert result.by == "otto"


def test_a_member_of_a_listed_team_may_ask_whose_membership_is_private(office: Office) -> None:
    """GitHub calls such a person's association NONE; the team says who they are."""
    office.fake_github.add_team("acme", "kernels", ["otto"])
    lenient = unproven(office, "permissions: {teams: [acme/kernels]}")
    comment = office.issue(9, as_="otto").create_comment("/backport release/1.2")
    assert comment.raw_data["author_association"] == "NONE"
    (result,) = lenient.serve(comment.id, "/backport release/1.2", on=9, author="otto")
    assert isinstance(result, Opened)


def test_the_proof_itself_is_told_to_stop(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A suite may run for a quarter of an hour that nobody needs any more."""
    calls: list[bool] = []

    def prove_until_stopped(
        candidate: Candidate, patch: CarriedPatch | None, context: PickContext, runner: Runner
    ) -> Verdict:
        calls.append(context.stop_when())
        office.issue(7).create_comment("/backport cancel")
        calls.append(context.stop_when())
        return prove(candidate, patch, context, runner)

    prove = prove_candidate
    monkeypatch.setattr(run, "prove_candidate", prove_until_stopped)
    monkeypatch.setattr(run, "CancellationWatch", partial(CancellationWatch, pause=0.0))
    (result,) = office.say("/backport release/1.2")
    assert calls == [False, True]
    assert isinstance(result, Cancelled)


LABEL = "backport release/1.2"


def _cancel(office: Office, *, after: timedelta) -> None:
    moment = datetime.now(UTC) + after
    office.fake_github.seed_comment(REPOSITORY, 9, author=MAINTAINER, body="/backport cancel", created_at=moment)


def _label(office: Office) -> tuple[TargetOutcome, ...]:
    office.issue(9).add_to_labels(LABEL)
    trigger = LabelTrigger(repository=REPOSITORY, pull_request=9, label=LABEL, sender=MAINTAINER, merged=True)
    return answer(trigger, office.context)


def test_what_a_label_started_is_stopped_as_well(office: Office) -> None:
    lenient = unproven(office)
    _cancel(office, after=timedelta(seconds=5))
    (result,) = _label(lenient)
    assert isinstance(result, Cancelled)
    assert office.backports() == []


def test_a_label_put_there_after_the_cancellation_is_served(office: Office) -> None:
    lenient = unproven(office)
    _cancel(office, after=timedelta(seconds=-5))
    (result,) = _label(lenient)
    assert isinstance(result, Opened)
