"""A run that a person starts by hand, with the number of a pull request, and the outputs for later steps."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import ConfigError
from bot.handlers import ci_outputs
from bot.models import Failed, Opened
from bot.pipeline.run_folder import RunFolder
from tests.pipeline.office import REPOSITORY
from tests.stages.pipeline import Pipeline

FUTURE = datetime.now(UTC) + timedelta(hours=1)


@pytest.fixture(autouse=True)
def run_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_RUN_ID", "4711")


def test_a_run_by_number_does_what_a_comment_does(pipeline: Pipeline) -> None:
    inputs = {"pull_request": "#7", "branches": "release/1.2 release/9", "options": "--draft"}
    (planned,) = pipeline.plan(pipeline.dispatched(inputs))
    assert (planned.target, planned.request.requester) == ("release/1.2", "mia")
    pipeline.pick()
    seal = pipeline.seal()
    pipeline.prove()
    unknown, opened = pipeline.publish(seal)
    assert isinstance(unknown, Failed)
    assert isinstance(opened, Opened)
    assert opened.pull_request.draft
    (answer,) = pipeline.office.answers()
    assert "status:run-4711 -->" in answer
    assert "asked for by mia" in answer
    number = opened.pull_request.number
    assert ci_outputs.outcome_outputs((unknown, opened)) == {
        "created": [number],
        "results": [
            dict.fromkeys(("pull_request", "pull_request_url", "created", "verdict"))
            | {"branch": "release/9", "status": "failed"},
            {
                "branch": "release/1.2",
                "status": "opened",
                "pull_request": number,
                "pull_request_url": f"{pipeline.office.fake_github.url}/{REPOSITORY}/pull/{number}",
                "created": True,
                "verdict": "proven",
            },
        ],
    }


@pytest.mark.parametrize(
    ("inputs", "as_", "reply"),
    [
        ({"pull_request": "7", "branches": "release/1.2"}, "otto", "needs the `write` permission"),
        ({"pull_request": "7", "branches": "release/1.2", "options": "--no-prove"}, "mia", "`maintain`"),
        ({"pull_request": "7", "branches": ""}, "mia", "names no target branch"),
        ({"pull_request": "7", "branches": "release/1.2 --what"}, "mia", "has no option"),
        ({"pull_request": "7", "branches": "status"}, "mia", "`status`"),
        ({"pull_request": "11", "branches": "release/1.2"}, "mia", "is not merged yet"),
    ],
)
def test_what_a_comment_may_not_ask_a_run_may_not_either(
    pipeline: Pipeline, inputs: dict[str, str], as_: str, reply: str
) -> None:
    assert pipeline.plan(pipeline.dispatched(inputs, as_=as_)) == ()
    (answer,) = pipeline.office.answers(int(inputs["pull_request"]))
    assert reply in answer
    assert pipeline.office.backports() == []


@pytest.mark.parametrize(
    ("inputs", "kind"),
    [
        ({}, "User"),
        ({"pull_request": "seven"}, "User"),
        ({"pull_request": "0"}, "User"),
        ({"pull_request": "\u0667"}, "User"),
        ({"pull_request": "7", "branches": "release/1.2"}, "Bot"),
    ],
)
def test_a_run_that_names_no_pull_request_or_is_a_bots_is_no_success(
    pipeline: Pipeline, inputs: dict[str, str], kind: str
) -> None:
    with pytest.raises(ConfigError, match="names no pull request, or no person started it"):
        pipeline.plan(pipeline.dispatched(inputs, kind=kind))
    assert pipeline.office.answers() == []


def test_a_later_cancellation_stops_it(pipeline: Pipeline) -> None:
    pipeline.plan(pipeline.dispatched({"pull_request": "7", "branches": "release/1.2"}))
    pipeline.pick()
    seal = pipeline.seal()
    pipeline.prove()
    pipeline.office.fake_github.seed_comment(REPOSITORY, 7, author="mia", body="/backport cancel", created_at=FUTURE)
    (outcome,) = pipeline.publish(seal)
    assert outcome.status.value == "cancelled"


def test_what_ends_with_the_plan_is_an_output_of_the_plan(pipeline: Pipeline) -> None:
    event = pipeline.dispatched({"pull_request": "7", "branches": "release/1.0"})
    assert pipeline.plan(event) == ()
    outputs = ci_outputs.outcome_outputs(RunFolder(pipeline.folder.root).plan().outcomes())
    assert json.loads(json.dumps(outputs["results"]))[0]["status"] == "not-affected"
    assert outputs["created"] == []
