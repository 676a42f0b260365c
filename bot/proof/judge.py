"""Two runs of one regression suite → one verdict, case by case.

Owns the table below. Runs nothing and reads nothing: the same two runs always give the same verdict.

    base      candidate          the case is
    failed    passed             fixed: what proves the candidate
    failed    failed             unfixed (incomplete), or a known failure where the patch declares it
    passed    failed/error       broken (regressed), declared or not
    any       skipped, no longer there, error   lost (regressed): a check that stops running is not a pass
    skipped   failed             broken (regressed)
    error     any                nothing can be said (inconclusive): the suite could not judge the base

A declared case that passes on the candidate is reported as stale and proves nothing. Where the patch that fixes a
declared failure is part of the candidate, the declaration does not hold and the case is like any other.

What would be proven is inconclusive all the same where it is too good: a declared failure that the candidate mends, a
candidate that tried less than the base or was faster than the work can be, tests that the change itself steers.
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
from bot.proof.changed_tests import errors_as_failures

NAMED = 3
"""How many cases a reason names before it only counts them."""
_DRAWN = "drawn "
"""How a suite begins the name of a parameter whose values are drawn anew for each commit, and so differ."""
_MEASURABLE, _FASTER = 2.0, 100
"""Seconds of cases whose times can be compared, and how many times faster is not believed."""


@dataclass(slots=True)
class _Tally:
    """Case names by what the two runs say of them together."""

    fixed: list[str] = field(default_factory=list)
    unfixed: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)
    known: list[KnownFailureResult] = field(default_factory=list)


def judge(
    base: SuiteRun,
    candidate: SuiteRun,
    *,
    known_failures: Sequence[KnownFailure] = (),
    resolved: frozenset[str] = frozenset(),
) -> Verdict:
    """Say what base run and candidate run prove together. `resolved` names the carried patches in the candidate."""
    problem = _unusable(base, candidate)
    if problem:
        return Verdict(outcome=VerdictOutcome.INCONCLUSIVE, reason=problem, base=base, candidate=candidate)
    declared = [failure for failure in known_failures if failure.fixed_by not in resolved]
    tally = _tally(base.cases, candidate.cases, declared)
    outcome, reason = _decide(tally)
    doubt = _too_good(base, candidate, tally) if outcome is VerdictOutcome.PROVEN else ""
    if doubt:
        outcome, reason = VerdictOutcome.INCONCLUSIVE, doubt
    return Verdict(
        outcome=outcome,
        reason=reason + _stale(tally.known),
        base=base,
        candidate=candidate,
        known_failures=tuple(tally.known),
    )


def judge_suite(
    suite: Suite | CommandSuite, base: SuiteRun, candidate: SuiteRun, *, resolved: frozenset[str] = frozenset()
) -> Verdict:
    """Judge two runs of a suite by what it declares."""
    if isinstance(suite, CommandSuite) and suite.overlay:
        base = errors_as_failures(base, candidate)
    verdict = judge(base, candidate, known_failures=suite.known_failures, resolved=resolved)
    if verdict.outcome is not VerdictOutcome.PROVEN:
        return verdict
    doubt = _steered(suite) if isinstance(suite, CommandSuite) else _too_fast(base, candidate)
    return replace(verdict, outcome=VerdictOutcome.INCONCLUSIVE, reason=doubt) if doubt else verdict


def matches(pattern: str, case: str) -> bool:
    """Whether a declaration covers a case. `*` is any text; brackets stand for themselves: pytest's names hold them."""
    first, *others = pattern.split("*")
    if not others:
        return pattern == case
    if len(case) < len(first) + len(others[-1]) or not (case.startswith(first) and case.endswith(others[-1])):
        return False
    # A regular expression would try every way to share the text out among the stars.
    place, end = len(first), len(case) - len(others[-1])
    for part in others[:-1]:
        place = case.find(part, place, end)
        if place < 0:
            return False
        place += len(part)
    return True


def _unusable(base: SuiteRun, candidate: SuiteRun) -> str:
    """Why these runs allow no verdict, or nothing."""
    for name, run in (("base", base), ("candidate", candidate)):
        if run.problem:
            return f"The {name} run did not finish: {run.problem}"
        if all(case.outcome is CaseOutcome.SKIPPED for case in run.cases):
            return f"The {name} run ran no case: {len(run.cases)} collected, all of them skipped."
    if _where(base) != _where(candidate):
        return f"Base and candidate ran on different devices: {base.device} and {candidate.device}."
    return ""


def _too_good(base: SuiteRun, candidate: SuiteRun, tally: _Tally) -> str:
    """Say why a candidate that passes is not believed, or nothing."""
    failed = {case.name for case in base.cases if case.outcome is CaseOutcome.FAILED}
    mended = [known.case for known in tally.known if not known.still_fails and known.case in failed]
    if mended:
        named = _names(mended, "failed on the base as declared and passed on the candidate")
        return f"{named}, and nothing in it is known to mend that. If it does, drop the declaration."
    for name, values in base.covered.items():
        missing = set(values.split(", ")) - set(candidate.covered.get(name, "").split(", "))
        if missing and not name.startswith(_DRAWN):
            return f"The candidate run did not try {', '.join(sorted(missing))} ({name}), which the base run did."
    return ""


def _too_fast(base: SuiteRun, candidate: SuiteRun) -> str:
    """Say that a carried patch's suite came to its end faster than its work can be done, or nothing."""
    before = {case.name: case.seconds for case in base.cases if case.outcome is CaseOutcome.PASSED}
    both = [case for case in candidate.cases if case.outcome is CaseOutcome.PASSED and case.name in before]
    took, needed = sum(case.seconds for case in both), sum(before[case.name] for case in both)
    if needed < _MEASURABLE or took * _FASTER > needed:
        return ""
    return f"{_cases(len(both))} that pass on both took {needed:.1f} s on the base and {took:.2f} s on the candidate."


def _steered(suite: CommandSuite) -> str:
    """Say that the change has a say in what its tests report, or nothing."""
    if not suite.steering:
        return ""
    return (
        f"The change's own tests pass, but it also changes {', '.join(suite.steering[:NAMED])}, which says what a test "
        "run collects and reports: they do not prove it by themselves. Look at these files."
    )


def _where(run: SuiteRun) -> tuple[str, str, str] | None:
    return (run.device.kind, run.device.name, run.device.arch) if run.device else None


def _tally(base: Iterable[CaseResult], candidate: Iterable[CaseResult], declared: Sequence[KnownFailure]) -> _Tally:
    tally = _Tally()
    before = {case.name: case.outcome for case in base}
    after = {case.name: case.outcome for case in candidate}
    for name in before | after:
        failure = next((each for each in declared if matches(each.cases, name)), None)
        _place(tally, name, before.get(name, CaseOutcome.SKIPPED), after.get(name), failure)
    return tally


def _place(
    tally: _Tally, name: str, before: CaseOutcome, after: CaseOutcome | None, failure: KnownFailure | None
) -> None:
    """Put one case where the table puts it. `after` is None where the candidate run no longer has the case."""
    failed, passed = CaseOutcome.FAILED, CaseOutcome.PASSED
    if before is CaseOutcome.ERROR:
        tally.unjudged.append(name)
    elif after is None or after is CaseOutcome.ERROR or (after is CaseOutcome.SKIPPED and before is not after):
        tally.lost.append(name)
    elif after is failed and before is not failed:
        tally.broken.append(name)
    elif failure is not None and after is not CaseOutcome.SKIPPED:
        tally.known.append(KnownFailureResult(name, failure.reason, still_fails=after is failed))
    elif after is failed:
        tally.unfixed.append(name)
    elif before is failed and after is passed:
        tally.fixed.append(name)


def _decide(tally: _Tally) -> tuple[VerdictOutcome, str]:
    known = sum(failure.still_fails for failure in tally.known)
    if tally.unjudged:
        return VerdictOutcome.INCONCLUSIVE, f"The suite could not judge the base: {_names(tally.unjudged, 'errored')}."
    if tally.broken or tally.lost:
        parts = [
            _names(tally.broken, "did not fail on the base and failed on the candidate") if tally.broken else "",
            _names(tally.lost, "ran on the base and could not be judged on the candidate") if tally.lost else "",
        ]
        return VerdictOutcome.REGRESSED, "; ".join(part for part in parts if part) + "."
    if tally.unfixed:
        return (
            VerdictOutcome.INCOMPLETE,
            f"{_names(tally.unfixed, 'still failed on the candidate')}; {len(tally.fixed)} fixed.",
        )
    if not tally.fixed:
        return VerdictOutcome.NOT_REPRODUCED, "No case fails on the base and passes on the candidate." + _known(known)
    return (
        VerdictOutcome.PROVEN,
        f"{_cases(len(tally.fixed))} failed on the base; all passed on the candidate." + _known(known),
    )


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count} cases"


def _names(names: Sequence[str], claim: str) -> str:
    """Word a count with the first few names."""
    rest = f", and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{_cases(len(names))} {claim} ({', '.join(names[:NAMED])}{rest})"


def _known(count: int) -> str:
    return f" {_cases(count)} still failed as declared, for another reason." if count else ""


def _stale(known: Sequence[KnownFailureResult]) -> str:
    stale = [failure.case for failure in known if not failure.still_fails]
    return f" Declared as known failures but passing: {_names(stale, 'passed')}." if stale else ""
