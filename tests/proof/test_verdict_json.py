"""A verdict survives being written down, and what is written follows the schema."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest

from bot.models import CaseOutcome, CaseResult, Device, KnownFailureResult, SuiteRun, Verdict, VerdictOutcome
from bot.proof.verdict_json import SCHEMA, verdict_from_json, verdict_to_json, write_verdict

DEVICE = Device(kind="rocm", name="AMD Instinct MI300X", arch="gfx942", versions={"torch": "2.9.0"})
CASE = CaseResult(
    name="t::a[é]", outcome=CaseOutcome.FAILED, message="240 past", seconds=0.5, figures={"past_end": "240"}
)


def verdict(device: Device | None) -> Verdict:
    """Make a verdict with something in every field."""
    base = SuiteRun(tree="base", cases=(CASE,), device=device, seconds=3.5, commit="a" * 40)
    candidate = SuiteRun(tree="candidate", cases=(), device=None, seconds=0.0, problem="it collected no case.")
    known = (KnownFailureResult("t::b", "lacks slack", still_fails=True),)
    return Verdict(
        outcome=VerdictOutcome.INCONCLUSIVE,
        reason="why",
        base=base,
        candidate=candidate,
        known_failures=known,
        notes=("run 1",),
    )


@pytest.mark.parametrize("device", [DEVICE, None], ids=["device", "no-device"])
def test_reading_gives_back_what_was_written(device: Device | None, tmp_path: Path) -> None:
    write_verdict(verdict(device), tmp_path / "verdict.json")
    text = (tmp_path / "verdict.json").read_bytes()
    jsonschema_rs.validate(json.loads(SCHEMA.read_text("utf-8")), json.loads(text))
    assert verdict_from_json(text) == verdict(device)


def test_the_schema_refuses_what_it_does_not_know() -> None:
    schema = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text("utf-8")))
    data = verdict_to_json(verdict(DEVICE))
    assert schema.is_valid(data)
    assert not schema.is_valid({**data, "outcome": "green"})
    assert not schema.is_valid({**data, "extra": 1})


def test_what_a_record_says_it_covered_holds_nothing_that_cannot_be_shown() -> None:
    data = verdict_to_json(verdict(DEVICE))
    data["base"]["covered"] = {"page\x1b": "1,\u202e2"}
    read = verdict_from_json(json.dumps(data).encode()).base.covered
    assert read == {"page\N{REPLACEMENT CHARACTER}": "1,\N{REPLACEMENT CHARACTER}2"}
