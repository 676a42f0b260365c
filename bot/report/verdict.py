"""A verdict → the numbers and sentences people read.

Owns counting over two runs. A known failure is never counted as failing: it is listed by itself, with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.models import (
    COMMAND,
    OWN_TESTS,
    CaseOutcome,
    CaseResult,
    Device,
    Isolation,
    KnownFailure,
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
    """The cases of one test function. `before` and `after` are the worst `past_end`, None where none was measured."""

    name: str
    cases: int
    base_failed: int
    candidate_failed: int
    known: int
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownGroup:
    """Cases of one test function declared to fail for one reason; `past_end` is the worst the candidate did."""

    name: str
    cases: tuple[str, ...]
    reason: str
    still_fails: bool
    past_end: int | None


def base_failed(verdict: Verdict) -> int | None:
    """Count the cases that fail on the base, known failures apart; None where the base run is not usable."""
    return _failed(verdict.base, verdict)


def candidate_failed(verdict: Verdict) -> int | None:
    """Count the cases that fail on the candidate, known failures apart; None where its run is not usable."""
    return _failed(verdict.candidate, verdict)


def overflow(verdict: Verdict) -> tuple[int, int] | None:
    """Return the worst number of elements past the end, before and after, over what failed on the base.

    None where no case that failed on the base measured it, or the candidate's run has none of those cases.
    """
    known = _known_names(verdict.known_failures)
    failing = {
        case.name for case in verdict.base.cases if case.outcome in _BAD and case.name not in known and _past_end(case)
    }
    before = _worst(case for case in verdict.base.cases if case.name in failing)
    after = _worst(case for case in verdict.candidate.cases if case.name in failing)
    return None if before is None or after is None else (before, after)


def headline(verdict: Verdict) -> str:
    """Say in one line what base run and candidate run came to, in numbers."""
    before, after = base_failed(verdict), candidate_failed(verdict)
    if before is None or after is None:
        return "not run to a result"
    said = f"{count(before, 'case')} failed before, {after} after"
    elements = overflow(verdict)
    return f"{said}; {elements[0]} elements past the end before, {elements[1]} after" if elements else said


def groups(verdict: Verdict) -> tuple[CaseGroup, ...]:
    """Put the cases together by test function, in the order of the base run."""
    known = _known_names(verdict.known_failures)
    names = dict.fromkeys(_group(case.name) for run in (verdict.base, verdict.candidate) for case in _telling(run))
    before, after = _by_group(verdict.base), _by_group(verdict.candidate)
    return tuple(_count_group(name, before.get(name, ()), after.get(name, ()), known) for name in names)


def _telling(run: SuiteRun) -> Iterable[CaseResult]:
    """Return a run's cases without a command as a whole that went well: its tests say so themselves."""
    tests = [case for case in run.cases if COMMAND not in case.name or case.outcome in _BAD]
    return tests or run.cases


def known_groups(verdict: Verdict) -> tuple[KnownGroup, ...]:
    """Gather the declared failures by test function, reason and whether they still fail."""
    measured = {case.name: case for case in verdict.candidate.cases}
    found: dict[tuple[str, str, bool], list[str]] = {}
    for each in verdict.known_failures:
        found.setdefault((_group(each.case), each.reason, each.still_fails), []).append(each.case)
    return tuple(
        KnownGroup(
            name=name,
            cases=tuple(cases),
            reason=reason,
            still_fails=still_fails,
            past_end=_worst(measured[case] for case in cases if case in measured),
        )
        for (name, reason, still_fails), cases in found.items()
    )


def failing_cases(verdict: Verdict) -> tuple[CaseResult, ...]:
    """List what fails on the candidate and is not known to, worst news first: what passed on the base leads."""
    known = _known_names(verdict.known_failures)
    passed = {case.name for case in verdict.base.cases if case.outcome is CaseOutcome.PASSED}
    failing = [case for case in verdict.candidate.cases if case.outcome in _BAD and case.name not in known]
    return tuple(sorted(failing, key=lambda case: case.name not in passed))


def device_of(verdict: Verdict) -> Device | None:
    """Return the device that both runs ran on, None where neither got that far."""
    return verdict.candidate.device or verdict.base.device


def device_text(device: Device | None) -> str:
    """Name a device with its versions, and say so where it is no GPU."""
    if device is None:
        return "no device"
    said = [
        f"{device.name}, {device.arch}",
        ", ".join(f"{name} {version}" for name, version in device.versions.items()),
    ]
    said.append("no GPU" if device.kind == "cpu" else "")
    return f"{device.kind} ({'; '.join(part for part in said if part)})"


_ISOLATION = {
    Isolation.NAMESPACES: "It ran isolated, in namespaces of its own.",
    Isolation.CONTAINER: "It ran isolated, in a container.",
    Isolation.NONE: "It ran without isolation: it could read and reach whatever the user of its machine can.",
    None: "",
}


def isolation_text(isolation: Isolation | None) -> str:
    """Say in one sentence what stood between a suite and its machine; empty where that is not known."""
    return _ISOLATION[isolation]


def first_line(message: str, limit: int = 200) -> str:
    """Return the first line of a failure's message that says something."""
    return shorten(visible(next((line for line in message.splitlines() if line.strip()), "")), limit)


_MEANS = {
    VerdictOutcome.PROVEN: "The suite fails on the branch as it is and passes with the fix.",
    VerdictOutcome.NOT_REPRODUCED: "The suite passes on the branch as it is: the fault does not show there.",
    VerdictOutcome.INCOMPLETE: "Cases still fail with the fix.",
    VerdictOutcome.REGRESSED: "Cases that pass on the branch as it is do not pass with the fix.",
    VerdictOutcome.INCONCLUSIVE: "The suite did not come to a result.",
}


def evidence(verdict: Verdict) -> str:
    """Link the run that a verdict comes from, in one sentence of Markdown; empty where no page is known."""
    if not verdict.evidence_url:
        return ""
    return f"{link('The run that it comes from', verdict.evidence_url)} keeps the report and the log."


def meaning(outcome: VerdictOutcome) -> str:
    """Say what an outcome means, in one sentence."""
    return _MEANS[outcome]


def _failed(run: SuiteRun, verdict: Verdict) -> int | None:
    if run.problem or not run.cases:
        return None
    known = _known_names(verdict.known_failures)
    return sum(case.outcome in _BAD and case.name not in known for case in run.cases)


def _known_names(failures: Iterable[KnownFailure]) -> frozenset[str]:
    return frozenset(failure.case for failure in failures)


def _past_end(case: CaseResult) -> int | None:
    written = case.figures.get(PAST_END, "")
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 20 else None


def _worst(cases: Iterable[CaseResult]) -> int | None:
    return max((figure for case in cases if (figure := _past_end(case)) is not None), default=None)


def case_title(name: str) -> str:
    """Name a case for a reader: as its test is called, or what a whole command stands for."""
    plain = name.removeprefix(f"{OWN_TESTS}.")
    before, command, suite = plain.rpartition(COMMAND)
    return f"{suite_title(suite)}, as a whole" if command and before in ("", f"{suite}.") else plain


def _group(name: str) -> str:
    """Name a case's group by its test, without its parameters: of `a.test_b::test_c[16]` it is `a.test_b::test_c`."""
    title = case_title(name)
    return title.partition("[")[0] if title.endswith("]") else title


def _by_group(run: SuiteRun) -> Mapping[str, list[CaseResult]]:
    found: dict[str, list[CaseResult]] = {}
    for case in run.cases:
        found.setdefault(_group(case.name), []).append(case)
    return found


def _count_group(
    name: str, base: Iterable[CaseResult], candidate: Iterable[CaseResult], known: frozenset[str]
) -> CaseGroup:
    before = [case for case in base if case.name not in known]
    after = [case for case in candidate if case.name not in known]
    every = {case.name for case in (*base, *candidate)}
    return CaseGroup(
        name=name,
        cases=len(every),
        base_failed=sum(case.outcome in _BAD for case in before),
        candidate_failed=sum(case.outcome in _BAD for case in after),
        known=len(every & known),
        before=_worst(before),
        after=_worst(after),
    )
