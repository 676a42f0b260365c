"""Judges two runs of one regression suite, case by case.

The judge runs nothing and reads nothing: the same two runs always give the same verdict, by this table.

    base      candidate          the case is
    failed    passed             fixed: what proves the candidate
    failed    failed             unfixed (incomplete), or a known failure where the patch declares it
    passed    failed/error       broken (regressed), declared or not
    any       skipped, no longer there, error   lost (regressed): a check that stops running is not a pass
    skipped   failed             broken (regressed)
    error     any                unknown (inconclusive): the suite could not judge the base

A declared case that passes on the candidate is reported as stale and proves nothing. Where the patch that fixes a
declared failure is part of the candidate, the declaration does not hold and the case is like any other.

A verdict that would be `proven` is inconclusive in four cases: the candidate mends a declared failure, it tried less
than the base, it was faster than the work can be, or the change itself steers the tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from bot.models import (
    CaseOutcome,
    CaseResult,
    CommandSuite,
    KnownFailure,
    KnownFailureResult,
    Suite,
    SuiteRun,
    Verdict,
    VerdictOutcome,
)
from bot.proof.changed_tests import errors_as_failures, not_started
from bot.proof.explain_failure import first_error, run_remedies
from bot.proof.suite_notes import LISTED_CASES, about_manifests, steering_doubt, without_report
from bot.text.globs import matches_stars

_RANDOM_PREFIX = "drawn "
"""How a suite begins the name of a parameter whose values are drawn for each commit, and so differ."""
_MEASURABLE, _FASTER = 2.0, 100
"""Seconds of cases whose times can be compared, and how many times faster is not believed."""


@dataclass(slots=True)
class _Tally:
    """Case names by their class in the table."""

    fixes: list[str] = field(default_factory=list)
    unfixed_cases: list[str] = field(default_factory=list)
    broken_cases: list[str] = field(default_factory=list)
    lost_cases: list[str] = field(default_factory=list)
    unjudged_cases: list[str] = field(default_factory=list)
    known_results: list[KnownFailureResult] = field(default_factory=list)
    messages: dict[str, str] = field(default_factory=dict)
    """What an errored case of the base says."""


def judge(
    base: SuiteRun,
    candidate: SuiteRun,
    *,
    known_failures: Sequence[KnownFailure] = (),
    resolved_patches: frozenset[str] = frozenset(),
) -> Verdict:
    """Return the verdict on a base run and a candidate run. The candidate has the fixes of `resolved_patches`."""
    problem = _unusable(base, candidate)
    if problem:
        return Verdict(outcome=VerdictOutcome.INCONCLUSIVE, reason=problem, base=base, candidate=candidate)
    declarations = [failure for failure in known_failures if failure.fixed_by not in resolved_patches]
    tally = _tally(base.cases, candidate.cases, declarations)
    outcome, reason = _decide(tally)
    doubt = _too_good(base, candidate, tally) if outcome is VerdictOutcome.PROVEN else ""
    if doubt:
        outcome, reason = VerdictOutcome.INCONCLUSIVE, doubt
    return Verdict(
        outcome=outcome,
        reason=reason + _stale(tally.known_results),
        base=base,
        candidate=candidate,
        known_failures=tuple(tally.known_results),
    )


def judge_suite(
    suite: Suite | CommandSuite, base: SuiteRun, candidate: SuiteRun, *, resolved_patches: frozenset[str] = frozenset()
) -> Verdict:
    """Judge two runs of a suite by what it declares."""
    judged = errors_as_failures(base, candidate) if isinstance(suite, CommandSuite) and suite.brings_tests else base
    verdict = judge(judged, candidate, known_failures=suite.known_failures, resolved_patches=resolved_patches)
    if isinstance(suite, CommandSuite) and not suite.reports:
        verdict = replace(verdict, notes=(*verdict.notes, without_report(suite)))
    if isinstance(suite, CommandSuite) and suite.manifests:
        verdict = replace(verdict, notes=(*verdict.notes, about_manifests(suite, verdict.outcome)))
    if verdict.outcome in (VerdictOutcome.INCONCLUSIVE, VerdictOutcome.REGRESSED):
        verdict = replace(verdict, notes=(*verdict.notes, *run_remedies(base, candidate)))
    if verdict.outcome is not VerdictOutcome.PROVEN:
        return verdict
    doubt = steering_doubt(suite) if isinstance(suite, CommandSuite) else _too_fast(base, candidate)
    if doubt:
        return replace(verdict, outcome=VerdictOutcome.INCONCLUSIVE, reason=doubt)
    builds = isinstance(suite, CommandSuite) and suite.format.builds_first
    return replace(verdict, reason=verdict.reason + not_started(base, judged, candidate, builds=builds))


def _unusable(base: SuiteRun, candidate: SuiteRun) -> str:
    """Why these runs allow no verdict, or nothing."""
    for name, run in (("base", base), ("candidate", candidate)):
        if run.problem:
            return f"The {name} run did not finish: {run.problem}"
        if all(case.outcome is CaseOutcome.SKIPPED for case in run.cases):
            return f"The {name} run ran no case: {len(run.cases)} collected, all of them skipped."
    # A case that fails on one device and passes on another says nothing about the change.
    if _device_key(base) != _device_key(candidate):
        return f"Base and candidate ran on different devices: {base.device} and {candidate.device}."
    return ""


def _too_good(base: SuiteRun, candidate: SuiteRun, tally: _Tally) -> str:
    """Say why a candidate that passes is not believed, or nothing."""
    base_failures = {case.name for case in base.cases if case.outcome is CaseOutcome.FAILED}
    mended_cases = [
        result.case for result in tally.known_results if not result.still_fails and result.case in base_failures
    ]
    if mended_cases:
        summary = _names(mended_cases, "failed on the base as declared and passed on the candidate")
        return f"{summary}, and nothing in it is known to mend that. If it does, drop the declaration."
    for name, values in base.covered.items():
        gaps = set(values.split(", ")) - set(candidate.covered.get(name, "").split(", "))
        if gaps and not name.startswith(_RANDOM_PREFIX):
            return f"The candidate run did not try {', '.join(sorted(gaps))} ({name}), which the base run did."
    return ""


def _too_fast(base: SuiteRun, candidate: SuiteRun) -> str:
    """Say that a carried patch's suite came to its end faster than its work can be done, or nothing."""
    before = {case.name: case.seconds for case in base.cases if case.outcome is CaseOutcome.PASSED}
    shared_cases = [case for case in candidate.cases if case.outcome is CaseOutcome.PASSED and case.name in before]
    first, second = sum(before[case.name] for case in shared_cases), sum(case.seconds for case in shared_cases)
    if first < _MEASURABLE or second * _FASTER > first:
        return ""
    count = _cases(len(shared_cases))
    return f"{count} that pass on both took {first:.1f} s on the base and {second:.2f} s on the candidate."


def _device_key(run: SuiteRun) -> tuple[str, str, str] | None:
    return (run.device.kind, run.device.name, run.device.arch) if run.device else None


def _tally(base: Iterable[CaseResult], candidate: Iterable[CaseResult], declarations: Sequence[KnownFailure]) -> _Tally:
    base, candidate = list(base), list(candidate)
    tally = _Tally(messages={case.name: case.message for case in base if case.outcome is CaseOutcome.ERROR})
    before = {case.name: case.outcome for case in base}
    after = {case.name: case.outcome for case in candidate}
    for name in before | after:
        failure = next((declaration for declaration in declarations if matches_stars(declaration.cases, name)), None)
        _place(tally, name, before.get(name, CaseOutcome.SKIPPED), after.get(name), failure)
    return tally


def _place(
    tally: _Tally, name: str, before: CaseOutcome, after: CaseOutcome | None, failure: KnownFailure | None
) -> None:
    """Classify one case by the table. `after` is None if the candidate run no longer has the case."""
    if before is CaseOutcome.ERROR:
        tally.unjudged_cases.append(name)
    elif after is None or after is CaseOutcome.ERROR or (after is CaseOutcome.SKIPPED and before is not after):
        tally.lost_cases.append(name)
    elif after is CaseOutcome.FAILED and before is not CaseOutcome.FAILED:
        tally.broken_cases.append(name)
    elif failure is not None and after is not CaseOutcome.SKIPPED:
        tally.known_results.append(KnownFailureResult(name, failure.reason, still_fails=after is CaseOutcome.FAILED))
    elif after is CaseOutcome.FAILED:
        tally.unfixed_cases.append(name)
    elif before is CaseOutcome.FAILED and after is CaseOutcome.PASSED:
        tally.fixes.append(name)


def _decide(tally: _Tally) -> tuple[VerdictOutcome, str]:
    known_count = sum(failure.still_fails for failure in tally.known_results)
    if tally.unjudged_cases:
        error = first_error(tally.messages.get(name, "") for name in tally.unjudged_cases)
        errors = _names(tally.unjudged_cases, "errored") + (f": {error}" if error else "")
        return VerdictOutcome.INCONCLUSIVE, f"The suite could not judge the base: {errors}."
    if tally.broken_cases or tally.lost_cases:
        parts = [
            _names(tally.broken_cases, "did not fail on the base and failed on the candidate")
            if tally.broken_cases
            else "",
            _names(tally.lost_cases, "ran on the base and could not be judged on the candidate")
            if tally.lost_cases
            else "",
        ]
        return VerdictOutcome.REGRESSED, "; ".join(part for part in parts if part) + "."
    if tally.unfixed_cases:
        return (
            VerdictOutcome.INCOMPLETE,
            f"{_names(tally.unfixed_cases, 'still failed on the candidate')}; {len(tally.fixes)} fixed.",
        )
    if not tally.fixes:
        reason = "No case fails on the base and passes on the candidate."
        return VerdictOutcome.NOT_REPRODUCED, reason + _known_text(known_count)
    return (
        VerdictOutcome.PROVEN,
        f"{_cases(len(tally.fixes))} failed on the base; all passed on the candidate." + _known_text(known_count),
    )


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count} cases"


def _names(names: Sequence[str], claim: str) -> str:
    """Word a count with the first few names."""
    remainder = f", and {len(names) - LISTED_CASES} more" if len(names) > LISTED_CASES else ""
    return f"{_cases(len(names))} {claim} ({', '.join(names[:LISTED_CASES])}{remainder})"


def _known_text(count: int) -> str:
    return f" {_cases(count)} still failed as declared, for another reason." if count else ""


def _stale(results: Sequence[KnownFailureResult]) -> str:
    stale = [failure.case for failure in results if not failure.still_fails]
    return f" Declared as known failures but passing: {_names(stale, 'passed')}." if stale else ""
