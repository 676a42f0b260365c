"""Several suites' verdicts about one base and one candidate → one verdict.

Owns the rule that each suite must prove its own part: the worst outcome is the outcome. Runs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.model import SuiteRun, Verdict, VerdictOutcome

_WORST_FIRST = (
    VerdictOutcome.INCONCLUSIVE,
    VerdictOutcome.REGRESSED,
    VerdictOutcome.INCOMPLETE,
    VerdictOutcome.NOT_REPRODUCED,
    VerdictOutcome.PROVEN,
)


def combine(verdicts: Mapping[str, Verdict]) -> Verdict:
    """Put the verdicts of suites, by name, together; with more than one, each case is named after its suite as well."""
    if len(verdicts) == 1:
        return next(iter(verdicts.values()))
    outcome = min((verdict.outcome for verdict in verdicts.values()), key=_WORST_FIRST.index)
    told = {name: verdict for name, verdict in verdicts.items() if verdict.outcome is outcome}
    return Verdict(
        outcome=outcome,
        reason=" ".join(f"{name}: {verdict.reason}" for name, verdict in told.items()),
        base=_together({name: verdict.base for name, verdict in verdicts.items()}),
        candidate=_together({name: verdict.candidate for name, verdict in verdicts.items()}),
        known_failures=tuple(
            replace(known, case=f"{name}.{known.case}")
            for name, verdict in verdicts.items()
            for known in verdict.known_failures
        ),
    )


def _together(runs: Mapping[str, SuiteRun]) -> SuiteRun:
    return SuiteRun(
        tree=next(iter(runs.values())).tree,
        cases=tuple(replace(case, name=f"{name}.{case.name}") for name, run in runs.items() for case in run.cases),
        device=next((run.device for run in runs.values() if run.device), None),
        seconds=sum(run.seconds for run in runs.values()),
        problem=" ".join(f"{name}: {run.problem}" for name, run in runs.items() if run.problem),
    )
