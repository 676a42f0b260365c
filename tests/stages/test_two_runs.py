"""Two runs of a CI that are told of one request: the merge tells of a comment, and so does the comment itself."""

from __future__ import annotations

import pytest

from bot.handlers import ci_plan
from bot.handlers.ci_event import Event
from tests.stages.pipeline import Pipeline

CLEAN = "/backport release/1.2"


def test_a_request_that_one_run_works_on_is_left_alone_by_another(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    comment = pipeline.office.issue(7).create_comment(CLEAN)
    monkeypatch.setenv("GITHUB_RUN_ID", "1")
    assert len(pipeline.plan(pipeline.merged(7))) == 1
    before = pipeline.office.answers()
    monkeypatch.setenv("GITHUB_RUN_ID", "2")
    assert pipeline.plan(Event("issue_comment", comment_id=comment.id)) == ()
    assert pipeline.plan(pipeline.merged(7)) == ()
    assert pipeline.office.answers() == before


def test_a_run_that_is_started_again_serves_its_request(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_RUN_ID", "1")
    event = pipeline.event(CLEAN)
    assert len(pipeline.plan(event)) == 1
    assert len(pipeline.plan(event)) == 1


def test_a_request_that_has_its_answer_is_left_alone_by_another_run(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    comment = pipeline.office.issue(7).create_comment("/backport release/1.0")
    monkeypatch.setenv("GITHUB_RUN_ID", "1")
    assert pipeline.plan(pipeline.merged(7)) == ()
    before = pipeline.office.answers()
    monkeypatch.setenv("GITHUB_RUN_ID", "2")
    assert pipeline.plan(Event("issue_comment", comment_id=comment.id)) == ()
    assert pipeline.office.answers() == before


def test_an_edited_comment_that_is_named_by_its_number_is_no_command_and_the_log_says_so(pipeline: Pipeline) -> None:
    comment = pipeline.office.issue(7).create_comment("Thanks!")
    comment.edit(CLEAN)
    pipeline.give_token()
    log: list[str] = []
    event, config = Event("issue_comment", comment_id=comment.id), pipeline.directory / "backport.yaml"
    ready = ci_plan.run_plan(
        pipeline.folder.root, event, pipeline.connection("plan"), config=config, progress=log.append
    )
    assert ready.targets == ()
    assert "was edited after it was written" in "".join(log)
    assert pipeline.office.answers() == []
