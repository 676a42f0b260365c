"""An error that nobody foresaw costs one branch: the comment ends, the siblings go on, and the log has the traceback.

The errors are raised by a step that is replaced: an error that nobody foresaw cannot be had in any other way.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.commands.parser import parse_commands
from bot.config import parse_config
from bot.handlers import backport, sync_openings
from bot.handlers.run_sync import open_missing
from bot.models import Failed, NotProven, Opened, TargetOutcome, VerdictOutcome
from bot.pipeline import run, status_comment
from bot.pipeline.pick import pick_candidate
from bot.report import check_run
from tests.pipeline.office import REPOSITORY, Office, with_pick

SECRET = "what the error says"


def _fail(*_: object, **__: object) -> object:
    raise RecursionError(SECRET)


def _ended(office: Office) -> str:
    (reply,) = office.answers(7)
    assert "roving" not in reply, "no branch is still being proven"
    assert SECRET not in reply
    assert "Traceback" not in reply
    return reply


def test_it_ends_its_branch_and_no_other(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pick = pick_candidate
    monkeypatch.setattr(
        run,
        "pick_candidate",
        lambda plan, *rest, **named: (_fail if plan.branch == "release/1.1" else pick)(plan, *rest, **named),
    )
    results = {result.target: type(result) for result in office.say("/backport release/1.1 release/1.2")}
    assert results == {"release/1.1": Failed, "release/1.2": Opened}
    assert "RecursionError" in _ended(office)
    assert f"RecursionError: {SECRET}" in caplog.text


def test_it_is_asked_for_again_with_all_that_was_asked_for(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "pick_candidate", _fail)
    asked_text = "/backport release/1.1 --draft --with-companions"
    (outcome,) = office.say(asked_text)
    assert isinstance(outcome, Failed)
    offered = outcome.hint.partition("comment `")[2].partition("`")[0]
    assert parse_commands(offered) == parse_commands(asked_text)


def test_it_ends_every_branch_where_the_work_on_all_of_them_stopped(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backport, "learn_backports", _fail)
    results = office.say("/backport release/1.1 release/1.2")
    assert [type(result) for result in results] == [Failed, Failed]
    assert _ended(office).count("RecursionError") >= 2


def test_in_a_proof_it_is_an_inconclusive_verdict_with_the_error_as_its_reason(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "prove_candidate", _fail)
    (outcome,) = office.say("/backport release/1.2")
    assert isinstance(outcome, NotProven)
    assert outcome.verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert "RecursionError" in outcome.verdict.reason
    assert any("/backport release/1.2" in note for note in outcome.verdict.notes)
    assert SECRET not in _ended(office)


def test_it_answers_where_there_is_no_status_comment_yet(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backport, "read_request", _fail)
    assert office.say("/backport release/1.1") == ()
    assert "RecursionError" in _ended(office)
    assert "confused" in office.reactions(7)


def test_an_ending_that_cannot_be_rendered_is_replaced_by_one_that_can(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def render(result: TargetOutcome, **named: str) -> object:
        return check_run.render_target_check(result, **named) if isinstance(result, Failed) else _fail()

    monkeypatch.setattr(status_comment, "render_target_check", render)
    (result,) = office.say("/backport release/1.2")
    assert isinstance(result, Failed)
    assert "RecursionError" in _ended(office)


def test_a_scheduled_run_goes_on_with_the_other_branches(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = sync_openings._plan
    monkeypatch.setattr(
        sync_openings,
        "_plan",
        lambda state, *rest: (_fail if state.branch == "release/1.2" else choice)(state, *rest),
    )
    policy = "sync: {carried_patches: false, rules: [{pull_requests: [9]}]}"
    config = parse_config(f"repository: {REPOSITORY}\nprove: {{device: cpu, required: false}}\n{policy}\n")
    results = open_missing(with_pick(office.context, config=config), tmp_path / "data").results
    ended_values = {result.target: type(result) for result in results}
    assert ended_values.pop("release/1.2") is Failed
    assert ["The next run tries again" in result.hint for result in results if isinstance(result, Failed)] == [True]
    assert set(ended_values.values()) == {Opened}
