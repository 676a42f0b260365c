"""Judges by the carried patch's rules too: a suite samples parameters, the rules answer for all of them.

If the rules disagree with a suite's verdict, the verdict is changed here. Every runner uses this.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from bot.carried.detect import check
from bot.carried.load import CarriedPatch
from bot.models import Affectedness, DetectResult, SourceTree, Verdict, VerdictOutcome
from bot.proof.combine_verdicts import combine
from bot.proof.device_check import check_devices
from bot.proof.location_note import location_note
from bot.proof.no_tests import guarded_only
from bot.proof.select_suites import Suites

_OBJECTION = {
    Affectedness.AFFECTED: VerdictOutcome.INCOMPLETE,
    Affectedness.NOT_AFFECTED: VerdictOutcome.INCONCLUSIVE,
    Affectedness.UNKNOWN: VerdictOutcome.INCONCLUSIVE,
}
_SUITE_OBJECTS = (VerdictOutcome.INCOMPLETE, VerdictOutcome.REGRESSED)


def conclude(
    verdicts: Mapping[str, Verdict],
    suites: Suites,
    candidate: SourceTree,
    patches: Sequence[CarriedPatch],
    *,
    devices: Collection[str] = (),
) -> tuple[Verdict, Mapping[str, Verdict]]:
    """Return the verdict on everything that ran, and each suite's own, as the rules of `patches` allow.

    A verdict that would open a pull request has to come from one of the `devices`, if there are any.
    """
    rules = {patch.name: check(candidate, patch) for patch in patches}
    by_suite = {
        name: apply_rules(verdict, rules[name]) if name in rules else verdict for name, verdict in verdicts.items()
    }
    by_suite |= {name: check_devices(by_suite[name], devices) for name in suites.proof if name in by_suite}
    verdict = combine(by_suite, guards=suites.guards.keys())
    if not suites.proof:
        verdict = check_devices(guarded_only(verdict), devices)
    images = dict.fromkeys(run.image for run in (verdict.base, verdict.candidate) if run.image)
    notes = (*verdict.notes, *(location_note(f"the image {image}") for image in images))
    return replace(verdict, notes=notes), by_suite


def apply_rules(verdict: Verdict, rules: DetectResult) -> Verdict:
    """Let a suite's verdict stand only as far as the rules agree, and say which of the two objects, and why.

    An inconclusive verdict stays inconclusive: rules read the source, they do not run it.
    """
    is_fixed = rules.status is Affectedness.FIXED
    if verdict.outcome is VerdictOutcome.PROVEN and not is_fixed:
        reason = f"{verdict.reason} {_objection(rules)} The suite does not object."
        return replace(verdict, outcome=_OBJECTION[rules.status], reason=reason)
    if verdict.outcome in _SUITE_OBJECTS:
        objection = f"The rules of {rules.patch} do not object." if is_fixed else _objection(rules)
        return replace(verdict, reason=f"{verdict.reason} {objection}")
    return verdict


def _objection(rules: DetectResult) -> str:
    places = "; ".join(
        f"{entry.file}:{entry.line}: {entry.detail}" if entry.line else f"{entry.file}: {entry.detail}"
        for entry in rules.evidence[:2]
    )
    return (
        f"The rules of {rules.patch} object: they find the candidate {rules.status}, not fixed. "
        f"{rules.reason.rstrip('.')}{f' ({places})' if places else ''}."
    )
