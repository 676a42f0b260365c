"""Combines the verdicts of several suites on one base and one candidate.

Each suite must prove its own part, so the worst outcome is the outcome. A guard is a suite of the target's own and has
nothing to prove: it must only not get worse.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from bot.models import SuiteRun, Verdict, VerdictOutcome, is_own_tests, suite_title, weakest

_WORST_FIRST = (
    VerdictOutcome.INCONCLUSIVE,
    VerdictOutcome.REGRESSED,
    VerdictOutcome.INCOMPLETE,
    VerdictOutcome.NOT_REPRODUCED,
    VerdictOutcome.NO_TESTS,
    VerdictOutcome.PROVEN,
)
_NO_WORSE = (VerdictOutcome.INCOMPLETE, VerdictOutcome.NOT_REPRODUCED, VerdictOutcome.PROVEN)


def combine(verdicts: Mapping[str, Verdict], *, guards: Collection[str] = ()) -> Verdict:
    """Put the verdicts of suites, by name, together; with more than one, each case is named after its suite as well.

    With guards alone the outcome is theirs: then nothing is proven, at best nothing is broken.
    """
    if len(verdicts) == 1:
        return next(iter(verdicts.values()))
    idle = _idle(verdicts)
    all_guards = all(name in guards for name in verdicts)
    relevant = {
        name: verdict
        for name, verdict in verdicts.items()
        if all_guards or (name not in guards and name not in idle) or verdict.outcome not in _NO_WORSE
    }
    outcome = min((verdict.outcome for verdict in relevant.values()), key=_WORST_FIRST.index)
    worst = {name: verdict for name, verdict in relevant.items() if verdict.outcome is outcome}
    incomplete = {name: verdict for name, verdict in verdicts.items() if verdict.outcome is VerdictOutcome.INCOMPLETE}
    reported_verdicts = worst | {name: verdict for name, verdict in incomplete.items() if name in guards}
    return Verdict(
        outcome=outcome,
        reason=" ".join(f"{suite_title(name)}: {verdict.reason}" for name, verdict in reported_verdicts.items()),
        base=_together({name: verdict.base for name, verdict in verdicts.items()}),
        candidate=_together({name: verdict.candidate for name, verdict in verdicts.items()}),
        known_failures=tuple(
            replace(failure, case=f"{name}.{failure.case}")
            for name, verdict in verdicts.items()
            for failure in verdict.known_failures
        ),
        notes=tuple(dict.fromkeys(note for verdict in verdicts.values() for note in verdict.notes)),
    )


def _idle(verdicts: Mapping[str, Verdict]) -> frozenset[str]:
    """Name the suites of an original's tests that show nothing, if another one of them proves the change.

    An original may bring tests in two languages, and its fault shows in one.
    """
    own = {name: verdict.outcome for name, verdict in verdicts.items() if is_own_tests(name)}
    if VerdictOutcome.PROVEN not in own.values():
        return frozenset()
    return frozenset(name for name, outcome in own.items() if outcome is VerdictOutcome.NOT_REPRODUCED)


def _together(runs: Mapping[str, SuiteRun]) -> SuiteRun:
    first = next(iter(runs.values()))
    return SuiteRun(
        tree=first.tree,
        commit=first.commit,
        cases=tuple(replace(case, name=f"{name}.{case.name}") for name, run in runs.items() for case in run.cases),
        device=next((run.device for run in runs.values() if run.device), None),
        seconds=sum(run.seconds for run in runs.values()),
        isolation=weakest(run.isolation for run in runs.values()),
        image=next((run.image for run in runs.values() if run.image), ""),
        problem=" ".join(f"{suite_title(name)}: {run.problem}" for name, run in runs.items() if run.problem),
        covered={
            f"{suite_title(name)}: {key}": value for name, run in runs.items() for key, value in run.covered.items()
        },
    )
