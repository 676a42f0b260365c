"""Several devices' verdicts on one candidate: the worst counts, and each has its line."""

from __future__ import annotations

import itertools
import json
import re

import jsonschema_rs
import pytest

from bot.models import CaseOutcome, CaseResult, Device, Isolation, SuiteRun, Verdict, VerdictOutcome
from bot.proof.combine_devices import combine_devices
from bot.proof.location_note import location_note
from bot.proof.verdict_json import SCHEMA, verdict_from_json, verdict_to_json
from bot.report.json_data import verdict_to_json as for_scripts
from bot.report.terminal import render_verdict
from bot.report.verdict_page import render_page

WORST_FIRST = ("regressed", "incomplete", "inconclusive", "not-reproduced", "proven")


def verdict(outcome: str, arch: str, *, note: str = "", kind: str = "rocm", failed: bool = False) -> Verdict:
    device = Device(kind=kind, name=f"Example {arch}", arch=arch)
    base, candidate = (
        SuiteRun(
            tree=name,
            cases=(CaseResult(name="test_it", outcome=CaseOutcome(result)),),
            device=device,
            seconds=60.0,
            isolation=Isolation.CONTAINER,
            image=f"a/b@sha256:{arch}",
        )
        for name, result in (("base", "failed"), ("candidate", "failed" if failed else "passed"))
    )
    return Verdict(
        outcome=VerdictOutcome(outcome),
        reason=f"It is {outcome}.",
        base=base,
        candidate=candidate,
        notes=(note, "Both say this.") if note else ("Both say this.",),
    )


@pytest.mark.parametrize(("worse", "better"), list(itertools.combinations(WORST_FIRST, 2)))
def test_the_worst_verdict_is_the_verdict(worse: str, better: str) -> None:
    for order in ((worse, better), (better, worse)):
        names = ("gfx942", "gfx950")
        verdict_of_all = combine_devices(
            {name: verdict(outcome, name) for name, outcome in zip(names, order, strict=True)}
        )
        assert verdict_of_all.outcome.value == worse
        assert verdict_of_all.reason == f"{names[order.index(worse)]}: It is {worse}."
        assert [entry.outcome.value for entry in verdict_of_all.devices] == list(order)


def test_each_device_has_a_line_with_its_image_its_failures_and_its_time() -> None:
    verdict_of_all = combine_devices(
        {"gfx942": verdict("proven", "gfx942"), "gfx950": verdict("incomplete", "gfx950", failed=True)}
    )
    first, second = verdict_of_all.devices
    assert (first.base_failed, first.candidate_failed, first.cases, first.seconds) == (1, 0, 1, 120.0)
    assert (second.candidate_failed, second.image, str(second.device)) == (
        1,
        "a/b@sha256:gfx950",
        "rocm (Example gfx950, gfx950)",
    )
    assert verdict_of_all.candidate.device == second.device, "the runs that are shown are those of the worst verdict"


def test_a_verdict_counts_only_for_the_device_that_it_is_from() -> None:
    verdict_of_all = combine_devices({"gfx942": verdict("proven", "gfx942"), "gfx950": verdict("proven", "gfx942")})
    assert verdict_of_all.outcome is VerdictOutcome.INCONCLUSIVE
    assert "gfx950: This says nothing about gfx950: it ran on rocm (Example gfx942, gfx942)" in verdict_of_all.reason


def test_notes_say_which_device_they_are_about() -> None:
    verdict_of_all = combine_devices(
        {"gfx942": verdict("proven", "gfx942", note="Run 1."), "gfx950": verdict("proven", "gfx950", note="Run 2.")}
    )
    assert verdict_of_all.notes == ("gfx942: Run 1.", "Both say this.", "gfx950: Run 2.")


def test_what_several_devices_say_alike_is_said_once_and_where_they_ran_is_in_their_lines() -> None:
    combined = combine_devices(
        {name: verdict("inconclusive", name, note=location_note(f"the image {name}")) for name in ("gfx942", "gfx950")}
    )
    assert combined.reason == "gfx942, gfx950: It is inconclusive."
    assert combined.notes == ("Both say this.",)


def test_the_isolation_is_the_weakest_of_all_devices() -> None:
    loose = verdict("proven", "gfx950")
    object.__setattr__(loose.base, "isolation", Isolation.NONE)
    assert combine_devices({"gfx942": verdict("proven", "gfx942"), "gfx950": loose}).isolation is Isolation.NONE


def test_the_record_follows_its_schema_and_a_foreign_one_speaks_for_one_device() -> None:
    verdict_of_all = combine_devices(
        {"gfx942": verdict("proven", "gfx942"), "cpu": verdict("proven", "x86_64", kind="cpu")}
    )
    data = verdict_to_json(verdict_of_all)
    jsonschema_rs.validate(json.loads(SCHEMA.read_text("utf-8")), data)
    assert [entry["name"] for entry in data["devices"]] == ["gfx942", "cpu"]
    forged = json.dumps({**data, "devices": [{"name": "gfx950", "outcome": "proven", "reason": "trust me"}]})
    assert verdict_from_json(forged.encode()).devices == ()


def test_people_and_scripts_see_each_device() -> None:
    verdict_of_all = combine_devices({"gfx942": verdict("proven", "gfx942"), "gfx950": verdict("proven", "<gfx950")})
    text, page = render_verdict(verdict_of_all), render_page(verdict_of_all)
    assert (
        "  gfx942: proven on Example gfx942, gfx942: base run 1 of 1 failed, candidate run 0 of 1 failed; image" in text
    )
    assert re.search(r"<td[^>]*>inconclusive</td><td[^>]*>Example &lt;gfx950, &lt;gfx950</td>", page)
    assert [entry["verdict"] for entry in for_scripts(verdict_of_all)["devices"]] == ["proven", "inconclusive"]  # type: ignore[union-attr, index, call-overload]
