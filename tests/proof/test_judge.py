"""The verdict table, row by row."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.models import CaseOutcome, CaseResult, CommandSuite, Device, KnownFailure, Suite, SuiteRun, VerdictOutcome
from bot.proof import judge
from bot.proof.judge import judge_suite
from bot.text.globs import matches_stars

CPU = Device(kind="cpu", name="Triton interpreter", arch="x86_64")
GPU = Device(kind="cuda", name="NVIDIA H200", arch="sm_90")
LETTERS = {
    "p": CaseOutcome.PASSED,
    "f": CaseOutcome.FAILED,
    "e": CaseOutcome.ERROR,
    "s": CaseOutcome.SKIPPED,
}
SLACK = KnownFailure("suite::known*", "lacks draft slack", fixed_by="other-patch")


def run(outcomes: str, *, tree: str = "base", problem: str = "", device: Device | None = CPU) -> SuiteRun:
    """Make a run of cases c0, c1, …, one a letter; a dash leaves the case out, an upper-case letter names it known."""
    cases = tuple(
        CaseResult(name=f"suite::{'known' if letter.isupper() else 'c'}{place}", outcome=LETTERS[letter.lower()])
        for place, letter in enumerate(outcomes)
        if letter != "-"
    )
    return SuiteRun(tree=tree, cases=cases, device=device, seconds=1.0, problem=problem)


@pytest.mark.parametrize(
    ("base", "candidate", "expected"),
    [
        ("fp", "pp", VerdictOutcome.PROVEN),
        ("fps", "pps", VerdictOutcome.PROVEN),
        ("fpF", "ppF", VerdictOutcome.PROVEN),
        ("fpF", "ppP", VerdictOutcome.INCONCLUSIVE),
        ("fpP", "ppP", VerdictOutcome.PROVEN),
        ("fs", "pp", VerdictOutcome.PROVEN),
        ("f-", "pp", VerdictOutcome.PROVEN),
        ("pp", "pp", VerdictOutcome.NOT_REPRODUCED),
        ("pF", "pP", VerdictOutcome.NOT_REPRODUCED),
        ("pF", "pF", VerdictOutcome.NOT_REPRODUCED),
        ("pP", "pP", VerdictOutcome.NOT_REPRODUCED),
        ("ffp", "pfp", VerdictOutcome.INCOMPLETE),
        ("ff", "ff", VerdictOutcome.INCOMPLETE),
        ("fp", "pf", VerdictOutcome.REGRESSED),
        ("fP", "pF", VerdictOutcome.REGRESSED),
        ("fp", "pe", VerdictOutcome.REGRESSED),
        ("fp", "ep", VerdictOutcome.REGRESSED),
        ("fp", "p-", VerdictOutcome.REGRESSED),
        ("fpf", "pp-", VerdictOutcome.REGRESSED),
        ("fp", "ps", VerdictOutcome.REGRESSED),
        ("ffp", "psp", VerdictOutcome.REGRESSED),
        ("fF", "pS", VerdictOutcome.REGRESSED),
        ("fs", "p-", VerdictOutcome.REGRESSED),
        ("fs", "pf", VerdictOutcome.REGRESSED),
        ("f-", "pf", VerdictOutcome.REGRESSED),
        ("fff", "pfe", VerdictOutcome.REGRESSED),
        ("fe", "pe", VerdictOutcome.INCONCLUSIVE),
        ("fe", "pp", VerdictOutcome.INCONCLUSIVE),
        ("ss", "ss", VerdictOutcome.INCONCLUSIVE),
        ("fp", "ss", VerdictOutcome.INCONCLUSIVE),
    ],
)
def test_outcome_follows_the_table(base: str, candidate: str, expected: VerdictOutcome) -> None:
    verdict = judge(run(base), run(candidate, tree="candidate"), known_failures=[SLACK])
    assert verdict.outcome is expected
    assert verdict.reason


@pytest.mark.parametrize("side", ["base", "candidate"])
def test_a_run_with_a_problem_proves_nothing(side: str) -> None:
    good, bad = run("fp"), run("pp", problem="its process was ended by SIGABRT.")
    verdict = judge(bad, run("pp")) if side == "base" else judge(good, bad)
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert side in verdict.reason
    assert "SIGABRT" in verdict.reason


def test_runs_on_different_devices_prove_nothing() -> None:
    verdict = judge(run("fp"), run("pp", device=GPU))
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert "different devices" in verdict.reason


def test_a_declaration_ends_with_the_patch_that_fixes_it() -> None:
    base, candidate = run("fF"), run("pF")
    assert judge(base, candidate, known_failures=[SLACK]).outcome is VerdictOutcome.PROVEN
    with_fix = judge(base, candidate, known_failures=[SLACK], resolved_patches=frozenset({"other-patch"}))
    assert with_fix.outcome is VerdictOutcome.INCOMPLETE
    assert with_fix.known_failures == ()


def test_a_declared_failure_that_the_candidate_mends_is_too_good_to_be_proven() -> None:
    verdict = judge(run("fF"), run("pP"), known_failures=[SLACK])
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert [known_failure.still_fails for known_failure in verdict.known_failures] == [False]
    assert "suite::known1" in verdict.reason


def test_a_declared_case_that_passes_on_both_is_reported_and_not_fatal() -> None:
    verdict = judge(run("fP"), run("pP"), known_failures=[SLACK])
    assert verdict.outcome is VerdictOutcome.PROVEN
    assert "suite::known1" in verdict.reason


@pytest.mark.parametrize(
    ("base", "candidate", "expected"),
    [
        ({"page size": "1, 16"}, {"page size": "1, 16, 64"}, VerdictOutcome.PROVEN),
        ({"page size": "1, 16"}, {"page size": "16"}, VerdictOutcome.INCONCLUSIVE),
        ({"page size": "1, 16"}, {}, VerdictOutcome.INCONCLUSIVE),
        ({"drawn batches": "1, 3"}, {"drawn batches": "2"}, VerdictOutcome.PROVEN),
        ({}, {"page size": "16"}, VerdictOutcome.PROVEN),
    ],
)
def test_a_candidate_that_tried_less_than_the_base_proves_nothing(
    base: dict[str, str], candidate: dict[str, str], expected: VerdictOutcome
) -> None:
    verdict = judge(replace(run("fp"), covered=base), replace(run("pp"), covered=candidate))
    assert verdict.outcome is expected, verdict.reason


def timed(outcomes: str, seconds: float) -> SuiteRun:
    result = run(outcomes)
    return replace(result, cases=tuple(replace(case, seconds=seconds) for case in result.cases))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (4.0, 3.0, VerdictOutcome.PROVEN),
        (4.0, 0.05, VerdictOutcome.PROVEN),
        (4.0, 0.001, VerdictOutcome.INCONCLUSIVE),
        (0.01, 0.00001, VerdictOutcome.PROVEN),
    ],
)
def test_a_suite_that_ends_faster_than_its_work_can_be_done_proves_nothing(
    before: float, after: float, expected: VerdictOutcome
) -> None:
    suite = Suite(name="it", directory=Path("suite"))
    verdict = judge_suite(suite, timed("fppp", before), timed("pppp", after))
    assert verdict.outcome is expected, verdict.reason


def test_a_change_that_steers_its_own_tests_is_not_proven_by_them() -> None:
    suite = CommandSuite(name="own-tests", command=("pytest",), overlay=("tests/test_it.py",))
    assert judge_suite(suite, run("fp"), run("pp")).outcome is VerdictOutcome.PROVEN
    steered = replace(suite, steering=("tests/conftest.py",))
    verdict = judge_suite(steered, run("fp"), run("pp"))
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert "tests/conftest.py" in verdict.reason


def test_known_failures_carry_their_reason() -> None:
    (known_failure,) = judge(run("fF"), run("pF"), known_failures=[SLACK]).known_failures
    assert (known_failure.case, known_failure.reason, known_failure.still_fails) == (
        "suite::known1",
        "lacks draft slack",
        True,
    )


def test_an_undeclared_failure_on_both_is_incomplete() -> None:
    assert judge(run("fF"), run("pF")).outcome is VerdictOutcome.INCOMPLETE


@pytest.mark.parametrize(
    ("pattern", "case", "expected"),
    [
        ("suite::test_a*", "suite::test_a[page16-full]", True),
        ("suite::test_a[page16]", "suite::test_a[page16]", True),
        ("suite::test_a[page16]", "suite::test_a1", False),
        ("suite::test_a", "suite::test_a[page16]", False),
        ("*page1-*", "suite::test_b[page1-full]", True),
        ("suite.test", "suiteXtest", False),
    ],
)
def test_a_declaration_covers_what_its_pattern_says(pattern: str, case: str, expected: bool) -> None:
    assert matches_stars(pattern, case) is expected


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.text("ab*[", max_size=6), st.text("ab[\n", max_size=8))
def test_a_star_is_any_text_and_all_else_stands_for_itself(pattern: str, case: str) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), case, re.DOTALL) is not None
    assert matches_stars(pattern, case) is expected
