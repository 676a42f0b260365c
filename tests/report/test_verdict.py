"""Counting over a base run and a candidate run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.models import CaseOutcome, CaseResult, VerdictOutcome
from bot.report.verdict import (
    base_failed,
    candidate_failed,
    case_title,
    device_text,
    failing_cases,
    groups,
    headline,
    overflow,
)

if TYPE_CHECKING:
    from tests.report.conftest import Samples


def test_known_failures_are_counted_apart(samples: Samples) -> None:
    verdict = samples.proven()
    assert (base_failed(verdict), candidate_failed(verdict)) == (2, 0)
    assert overflow(verdict) == (240, 0)
    without = replace(verdict, known_failures=())
    assert (base_failed(without), candidate_failed(without)) == (3, 1)
    assert overflow(without) == (256, 16)


def test_headline_without_figures_speaks_of_cases_only(samples: Samples) -> None:
    base = samples.run("base", samples.case("test_a::test_b[1]", CaseOutcome.FAILED))
    candidate = samples.run("candidate", samples.case("test_a::test_b[1]", CaseOutcome.PASSED))
    assert headline(replace(samples.proven(), base=base, candidate=candidate)) == "1 case failed before, 0 after"


@pytest.mark.parametrize("figure", ["", "many", "-3", "1e9", "٣", "9" * 50, "1.5"])
def test_a_figure_that_is_no_count_is_left_out(samples: Samples, figure: str) -> None:
    case = replace(samples.case("test_a::test_b", CaseOutcome.FAILED), figures={"past_end": figure})
    verdict = replace(samples.proven(), base=samples.run("base", case), candidate=samples.run("candidate", case))
    assert overflow(verdict) is None


def test_a_case_that_is_gone_from_the_candidate_claims_no_zero(samples: Samples) -> None:
    base = samples.run("base", samples.case("test_a::test_b", CaseOutcome.FAILED, 240))
    candidate = samples.run("candidate", samples.case("test_a::test_c", CaseOutcome.PASSED, 0))
    assert overflow(replace(samples.proven(), base=base, candidate=candidate)) is None


def test_groups_are_tests_by_their_own_names(samples: Samples) -> None:
    found = groups(samples.proven())
    assert [(finding.name, finding.cases, finding.known) for finding in found] == [
        ("suite.test_replay::test_decode_stays_inside", 3, 0),
        ("suite.test_replay::test_verify_stays_inside", 1, 1),
        ("suite.test_values::test_indices_are_right", 1, 0),
    ]
    assert [(finding.before, finding.after) for finding in found] == [(240, 0), (None, None), (None, None)]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("tests.test_list::test_empty_parts[[x]]", "tests.test_list::test_empty_parts[[x]]"),
        ("own-tests.tests.test_list::test_empty_parts", "tests.test_list::test_empty_parts"),
        ("command::own-tests", "the original's tests, as a whole"),
        ("own-tests.command::own-tests", "the original's tests, as a whole"),
        ("command::smoke", "smoke, as a whole"),
        ("smoke.command::smoke", "smoke, as a whole"),
        ("app > renders [slug] twice", "app > renders [slug] twice"),
    ],
)
def test_a_case_is_called_what_its_author_calls_it(name: str, title: str) -> None:
    assert case_title(name) == title


def test_tests_of_one_name_in_two_folders_and_a_command_that_went_well(samples: Samples) -> None:
    passes = CaseOutcome.PASSED
    names = ("a.test_x::test_y[1]", "b.test_x::test_y", "app renders [slug] twice", "command::own-tests")
    run = replace(samples.run("base"), cases=tuple(CaseResult(name=name, outcome=passes) for name in names))
    found = groups(replace(samples.proven(), base=run, candidate=run))
    assert [finding.name for finding in found] == ["a.test_x::test_y", "b.test_x::test_y", "app renders [slug] twice"]


def test_what_passed_before_leads_what_fails_now(samples: Samples) -> None:
    fails, passes = CaseOutcome.FAILED, CaseOutcome.PASSED
    base = samples.run("base", samples.case("t::old", fails), samples.case("t::new", passes))
    candidate = samples.run("candidate", samples.case("t::old", fails), samples.case("t::new", fails))
    verdict = replace(samples.verdict(VerdictOutcome.REGRESSED), base=base, candidate=candidate)
    assert [case.name for case in failing_cases(verdict)] == ["suite.t::new", "suite.t::old"]


def test_only_a_gpu_is_called_one(samples: Samples) -> None:
    assert "no GPU" in device_text(samples.device)
    assert "no GPU" not in device_text(replace(samples.device, kind="rocm", name="AMD Instinct MI355X"))
