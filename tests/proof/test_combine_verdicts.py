"""Several suites, one verdict: each proves its own part, and none hides behind another."""

from __future__ import annotations

import pytest

from bot.models import CaseOutcome, CaseResult, KnownFailureResult, SuiteRun, Verdict, VerdictOutcome
from bot.proof.combine_verdicts import combine


def verdict(outcome: VerdictOutcome, *cases: str, problem: str = "", known: str = "") -> Verdict:
    results = tuple(CaseResult(name=name, outcome=CaseOutcome.PASSED) for name in cases)
    run = SuiteRun(tree="base", cases=results, device=None, seconds=2.0, problem=problem)
    failures = (KnownFailureResult(known, "another fault", still_fails=True),) if known else ()
    return Verdict(outcome=outcome, reason=f"it is {outcome}.", base=run, candidate=run, known_failures=failures)


def test_one_suite_is_left_as_it_is() -> None:
    single_verdict = verdict(VerdictOutcome.PROVEN, "test_a::test_it")
    assert combine({"first": single_verdict}) is single_verdict


@pytest.mark.parametrize("worse", [outcome for outcome in VerdictOutcome if outcome is not VerdictOutcome.PROVEN])
@pytest.mark.parametrize("turned", [False, True], ids=["companion", "patch itself"])
def test_what_one_suite_does_not_prove_is_not_proven(worse: VerdictOutcome, turned: bool) -> None:
    verdicts = {"good": verdict(VerdictOutcome.PROVEN), "bad": verdict(worse)}
    combined = combine(dict(reversed(verdicts.items())) if turned else verdicts)
    assert combined.outcome is worse
    assert combined.reason == f"bad: it is {worse}."


def test_two_suites_with_one_case_name_stay_two_cases() -> None:
    combined = combine(
        {
            "first": verdict(VerdictOutcome.PROVEN, "test_a::test_it"),
            "second": verdict(VerdictOutcome.PROVEN, "test_a::test_it", known="test_a::test_it"),
        }
    )
    assert [case.name for case in combined.candidate.cases] == ["first.test_a::test_it", "second.test_a::test_it"]
    assert [known.case for known in combined.known_failures] == ["second.test_a::test_it"]
    assert combined.base.seconds == 4.0


def test_a_run_with_a_problem_names_its_suite() -> None:
    combined = combine(
        {
            "first": verdict(VerdictOutcome.PROVEN, "test_a::test_it"),
            "second": verdict(VerdictOutcome.INCONCLUSIVE, problem="it collected no case."),
        }
    )
    assert combined.base.problem == "second: it collected no case."


@pytest.mark.parametrize(
    ("outcome", "expected", "told"),
    [
        (VerdictOutcome.PROVEN, VerdictOutcome.PROVEN, False),
        (VerdictOutcome.NOT_REPRODUCED, VerdictOutcome.PROVEN, False),
        (VerdictOutcome.INCOMPLETE, VerdictOutcome.PROVEN, True),
        (VerdictOutcome.REGRESSED, VerdictOutcome.REGRESSED, True),
        (VerdictOutcome.INCONCLUSIVE, VerdictOutcome.INCONCLUSIVE, True),
    ],
)
def test_a_guard_has_nothing_to_prove_and_must_not_get_worse(
    outcome: VerdictOutcome, expected: VerdictOutcome, told: bool
) -> None:
    verdicts = {"fix": verdict(VerdictOutcome.PROVEN), "guard": verdict(outcome)}
    combined = combine(verdicts, guards=["guard"])
    assert combined.outcome is expected
    assert ("guard: " in combined.reason) is told


def test_guards_alone_prove_nothing() -> None:
    quiet = verdict(VerdictOutcome.NOT_REPRODUCED)
    assert combine({"a": quiet, "b": quiet}, guards=["a", "b"]).outcome is VerdictOutcome.NOT_REPRODUCED
