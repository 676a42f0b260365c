"""Sums up a verdict in numbers and sentences.

A known failure never counts as a failure. It is listed apart, with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import assert_never

from bot.models import (
    COMMAND,
    OWN_TESTS,
    CaseOutcome,
    CaseResult,
    Device,
    Isolation,
    KnownFailureResult,
    SuiteRun,
    Verdict,
    VerdictOutcome,
    suite_title,
)
from bot.text.markdown import count, link, shorten, visible

_BAD = frozenset({CaseOutcome.FAILED, CaseOutcome.ERROR})
PAST_END = "past_end"
"""The figure that counts elements written past the end of a buffer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseGroup:
    """The cases of one test function. `before` and `after` are the worst `past_end`; None if it was not measured."""

    name: str
    cases: int
    base_failed: int
    candidate_failed: int
    known: int
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownGroup:
    """Cases of one test function, declared to fail for one reason. `past_end` is the candidate's worst figure."""

    name: str
    cases: tuple[str, ...]
    reason: str
    still_fails: bool
    past_end: int | None


def base_failed(verdict: Verdict) -> int | None:
    """Count the cases that fail on the base, without known failures; None if the base run is not usable."""
    return _count_failures(verdict.base, verdict)


def candidate_failed(verdict: Verdict) -> int | None:
    """Count the cases that fail on the candidate, without known failures; None if its run is not usable."""
    return _count_failures(verdict.candidate, verdict)


def overflow(verdict: Verdict) -> tuple[int, int] | None:
    """Return the worst number of elements past the end, before and after, of the cases that failed on the base.

    None if no such case measured it, or if the candidate's run has none of those cases.
    """
    known_names = _known_names(verdict.known_failures)
    names = {
        case.name
        for case in verdict.base.cases
        if case.outcome in _BAD and case.name not in known_names and _past_end(case)
    }
    before = _worst(case for case in verdict.base.cases if case.name in names)
    after = _worst(case for case in verdict.candidate.cases if case.name in names)
    return None if before is None or after is None else (before, after)


def headline(verdict: Verdict) -> str:
    """Sum up both runs on one line, in numbers."""
    before, after = base_failed(verdict), candidate_failed(verdict)
    if before is None or after is None:
        return "no result"
    cases = f"{count(before, 'case')} failed before, {after} after"
    elements = overflow(verdict)
    return f"{cases}; {elements[0]} elements past the end before, {elements[1]} after" if elements else cases


NO_TESTS = "no tests to prove it"


def verdict_line(verdict: Verdict) -> str:
    """Name the outcome of a verdict, with both runs in numbers if there were any."""
    if verdict.outcome is not VerdictOutcome.NO_TESTS:
        return f"{verdict.outcome.value}: {headline(verdict)}"
    return NO_TESTS if base_failed(verdict) is None else f"{NO_TESTS}; the target's own: {headline(verdict)}"


def groups(verdict: Verdict) -> tuple[CaseGroup, ...]:
    """Group the cases by test function, in the order of the base run."""
    known_names = _known_names(verdict.known_failures)
    names = dict.fromkeys(
        _group(case.name) for run in (verdict.base, verdict.candidate) for case in _relevant_cases(run)
    )
    before, after = _by_group(verdict.base), _by_group(verdict.candidate)
    return tuple(_count_group(name, before.get(name, ()), after.get(name, ()), known_names) for name in names)


def _relevant_cases(run: SuiteRun) -> Iterable[CaseResult]:
    """Return a run's cases without those of whole commands that passed, since their tests show that already."""
    tests = [case for case in run.cases if COMMAND not in case.name or case.outcome in _BAD]
    return tests or run.cases


def known_groups(verdict: Verdict) -> tuple[KnownGroup, ...]:
    """Group the known failures by test function, reason and whether they still fail."""
    by_name = {case.name: case for case in verdict.candidate.cases}
    cases_by_group: dict[tuple[str, str, bool], list[str]] = {}
    for failure in verdict.known_failures:
        key = (_group(failure.case), failure.reason, failure.still_fails)
        cases_by_group.setdefault(key, []).append(failure.case)
    return tuple(
        KnownGroup(
            name=name,
            cases=tuple(cases),
            reason=reason,
            still_fails=still_fails,
            past_end=_worst(by_name[case] for case in cases if case in by_name),
        )
        for (name, reason, still_fails), cases in cases_by_group.items()
    )


def failing_cases(verdict: Verdict) -> tuple[CaseResult, ...]:
    """List the cases that fail on the candidate, without known failures; those that passed on the base come first."""
    known_names = _known_names(verdict.known_failures)
    regressions = {case.name for case in verdict.base.cases if case.outcome is CaseOutcome.PASSED}
    failures = [case for case in verdict.candidate.cases if case.outcome in _BAD and case.name not in known_names]
    return tuple(sorted(failures, key=lambda case: case.name not in regressions))


def device_of(verdict: Verdict) -> Device | None:
    """Return the device of both runs; None if neither run reached it."""
    return verdict.candidate.device or verdict.base.device


def device_text(device: Device | None) -> str:
    """Name a device with its versions, and say so if it is not a GPU."""
    if device is None:
        return "no device"
    parts = [
        f"{device.name}, {device.arch}",
        ", ".join(f"{name} {version}" for name, version in device.versions.items()),
    ]
    parts.append("no GPU" if device.kind == "cpu" else "")
    return f"{device.kind} ({'; '.join(filter(None, parts))})"


_ISOLATION = {
    Isolation.NAMESPACES: "It ran isolated, in namespaces of its own.",
    Isolation.CONTAINER: "It ran isolated, in a container.",
    Isolation.NONE: "It ran without isolation: it could read and reach whatever the user of its machine can.",
    None: "",
}


def isolation_text(isolation: Isolation | None) -> str:
    """Word in one sentence how a suite was isolated from its machine; empty if that is not known."""
    return _ISOLATION[isolation]


def first_line(message: str, limit: int = 200) -> str:
    """Return the first line of a failure's message that is not blank."""
    return shorten(visible(next((line for line in message.splitlines() if line.strip()), "")), limit)


def evidence(verdict: Verdict) -> str:
    """Link the run that a verdict comes from, in one sentence of Markdown; empty if it has no page."""
    if not verdict.evidence_url:
        return ""
    return f"{link('The run that it comes from', verdict.evidence_url)} keeps the report and the log."


def meaning(outcome: VerdictOutcome) -> str:
    """Explain an outcome in one sentence."""
    match outcome:
        case VerdictOutcome.PROVEN:
            return "The suite fails on the branch as it is and passes with the fix."
        case VerdictOutcome.NOT_REPRODUCED:
            return "The suite passes on the branch as it is: the fault does not show there."
        case VerdictOutcome.INCOMPLETE:
            return "Cases still fail with the fix."
        case VerdictOutcome.REGRESSED:
            return "Cases that pass on the branch as it is do not pass with the fix."
        case VerdictOutcome.INCONCLUSIVE:
            return "The suite did not come to a result."
        case VerdictOutcome.NO_TESTS:
            return "No test says whether the branch needs the change, or whether it works there."
        case _:
            assert_never(outcome)


def _count_failures(run: SuiteRun, verdict: Verdict) -> int | None:
    if run.problem or not run.cases:
        return None
    known_names = _known_names(verdict.known_failures)
    return sum(case.outcome in _BAD and case.name not in known_names for case in run.cases)


def _known_names(failures: Iterable[KnownFailureResult]) -> frozenset[str]:
    return frozenset(failure.case for failure in failures)


def _past_end(case: CaseResult) -> int | None:
    figure = case.figures.get(PAST_END, "")
    return int(figure) if figure.isascii() and figure.isdecimal() and len(figure) < 20 else None


def _worst(cases: Iterable[CaseResult]) -> int | None:
    return max((figure for case in cases if (figure := _past_end(case)) is not None), default=None)


def case_title(name: str) -> str:
    """Name a case for a reader: by its test, or by the suite if the case is a whole command."""
    plain = name.removeprefix(f"{OWN_TESTS}.")
    before, command, suite = plain.rpartition(COMMAND)
    return f"{suite_title(suite)}, as a whole" if command and before in ("", f"{suite}.") else plain


def _group(name: str) -> str:
    """Name a case's group by its test, without its parameters: of `a.test_b::test_c[16]` it is `a.test_b::test_c`."""
    title = case_title(name)
    return title.partition("[")[0] if title.endswith("]") else title


def _by_group(run: SuiteRun) -> Mapping[str, list[CaseResult]]:
    cases_by_group: dict[str, list[CaseResult]] = {}
    for case in run.cases:
        cases_by_group.setdefault(_group(case.name), []).append(case)
    return cases_by_group


def _count_group(
    name: str, base: Iterable[CaseResult], candidate: Iterable[CaseResult], known_names: frozenset[str]
) -> CaseGroup:
    before = [case for case in base if case.name not in known_names]
    after = [case for case in candidate if case.name not in known_names]
    names = {case.name for case in (*base, *candidate)}
    return CaseGroup(
        name=name,
        cases=len(names),
        base_failed=sum(case.outcome in _BAD for case in before),
        candidate_failed=sum(case.outcome in _BAD for case in after),
        known=len(names & known_names),
        before=_worst(before),
        after=_worst(after),
    )
