"""The JSON keys that others script against."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.models import NothingLeft, VerdictOutcome
from bot.report.json_data import check_to_json, target_to_json, verdict_to_json
from bot.report.outcomes import describe

if TYPE_CHECKING:
    from tests.report.conftest import Samples

CONTRACT = {
    "branch",
    "status",
    "method",
    "fidelity",
    "verdict",
    "base_failed",
    "candidate_failed",
    "candidate_sha",
    "pull_request",
    "device",
}


def test_every_ending_has_every_key_of_the_contract(samples: Samples) -> None:
    endings = [target_to_json(ending) for ending in samples.every_ending()]
    assert all(set(ending) >= CONTRACT for ending in endings)
    assert len({frozenset(ending) for ending in endings}) == 1
    json.dumps(endings)


def test_an_opened_pull_request_in_full(samples: Samples) -> None:
    found = target_to_json(samples.opened())
    assert {key: found[key] for key in CONTRACT} == {
        "branch": "release/v0.5.12",
        "status": "opened",
        "method": "cherry-pick",
        "fidelity": "exact",
        "verdict": "proven",
        "base_failed": 2,
        "candidate_failed": 0,
        "candidate_sha": samples.commit,
        "pull_request": 7,
        "device": "cpu (Triton interpreter, x86_64)",
    }
    assert found["known_failures"] == 1
    assert found["past_end"] == {"before": 240, "after": 0}


def test_what_was_left_out_is_told_in_words_and_data(samples: Samples) -> None:
    path = ".github/`@everyone`.yml"
    endings = (
        samples.opened(candidate=replace(samples.candidate("release/v0.5.12"), left_out=(path,))),
        replace(samples.conflicted(), conflict=replace(samples.conflicted().conflict, left_out=(path,))),
        NothingLeft(target="release/v0.5.12", left_out=(path,)),
    )
    for ending in endings:
        assert target_to_json(ending)["left_out"] == [path]
        assert describe(ending).fact.endswith(": ``.github/`@everyone`.yml``.")
    assert target_to_json(samples.opened())["left_out"] == []


def test_what_could_not_be_had_is_told_in_words_and_data(samples: Samples) -> None:
    note = "It does not merge by itself: ask @mia, `Fixes #1`."
    for ending in (samples.opened(notes=(note,)), replace(samples.conflicted(), note=note)):
        assert target_to_json(ending)["notes"] == [note]
        described = describe(ending)
        text = f"{described.fact} {described.consequence}"
        assert "It does not merge by itself" in text
        assert "@mia" not in text, "nobody is called by it"


def test_what_does_not_apply_is_null(samples: Samples) -> None:
    found = target_to_json(samples.not_affected())
    assert {key for key in CONTRACT if found[key] is None} == CONTRACT - {"branch", "status"}
    assert found["reason"]
    assert found["evidence"]


def test_a_run_that_did_not_finish_has_no_counts(samples: Samples) -> None:
    found = target_to_json(samples.not_proven(VerdictOutcome.INCONCLUSIVE))
    assert found["base_failed"] is None
    assert found["candidate_failed"] is None
    assert found["device"] is None


def test_check_and_verdict_are_plain_data(samples: Samples) -> None:
    assert check_to_json(samples.not_affected().check)["status"] == "not-affected"
    found: dict[str, Any] = dict(verdict_to_json(samples.proven()))
    assert json.loads(json.dumps(found)) == found
    assert found["base_failed"] == 2
    assert len(found["base"]["cases"]) == 5
    assert found["known_failures"][0]["still_fails"] is True
