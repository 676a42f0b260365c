"""Combines the verdicts of one proof on several devices: the worst of them counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.models import DeviceVerdict, SuiteRun, Verdict, VerdictOutcome, weakest
from bot.proof.device_check import check_devices
from bot.proof.location_note import is_location_note
from bot.report.verdict import base_failed, candidate_failed, device_of

_WORST_FIRST = (
    # A fault on one device is a fault, even if another device gave no result.
    VerdictOutcome.REGRESSED,
    VerdictOutcome.INCOMPLETE,
    VerdictOutcome.INCONCLUSIVE,
    VerdictOutcome.NOT_REPRODUCED,
    VerdictOutcome.NO_TESTS,
    VerdictOutcome.PROVEN,
)


def combine_devices(verdicts: Mapping[str, Verdict]) -> Verdict:
    """Return the worst of the verdicts, by the name of their device, with a line about each in `devices`.

    A verdict that would open a pull request counts only if its suites ran on the device that it is named for. The runs
    are those of the worst verdict; of equal ones, of the first.
    """
    by_device = {name: check_devices(verdict, (name,)) for name, verdict in verdicts.items()}
    worst_name = min(by_device, key=lambda name: _WORST_FIRST.index(by_device[name].outcome))
    worst = by_device[worst_name]
    isolation = weakest(verdict.isolation for verdict in by_device.values())
    return replace(
        worst,
        reason=_reason([(name, verdict) for name, verdict in by_device.items() if verdict.outcome is worst.outcome]),
        base=replace(worst.base, isolation=isolation),
        candidate=replace(worst.candidate, isolation=isolation),
        notes=_notes(by_device),
        devices=tuple(_line(name, verdict) for name, verdict in by_device.items()),
    )


def _reason(verdicts: Sequence[tuple[str, Verdict]]) -> str:
    """Return each reason once, behind the devices that it is about."""
    names: dict[str, list[str]] = {}
    for name, verdict in verdicts:
        names.setdefault(verdict.reason, []).append(name)
    return " ".join(f"{', '.join(devices)}: {reason}" for reason, devices in names.items())


def _notes(verdicts: Mapping[str, Verdict]) -> tuple[str, ...]:
    """Return all notes but those that a device's line has; one that is not about every device names its own."""
    shared = set.intersection(*(set(verdict.notes) for verdict in verdicts.values()))
    return tuple(
        dict.fromkeys(
            note if note in shared else f"{name}: {note}"
            for name, verdict in verdicts.items()
            for note in verdict.notes
            if not is_location_note(note)
        )
    )


def _line(name: str, verdict: Verdict) -> DeviceVerdict:
    return DeviceVerdict(
        name=name,
        outcome=verdict.outcome,
        reason=verdict.reason,
        device=device_of(verdict),
        image=verdict.candidate.image or verdict.base.image,
        cases=len({case.name for run in (verdict.base, verdict.candidate) for case in run.cases}),
        base_failed=base_failed(verdict),
        candidate_failed=candidate_failed(verdict),
        seconds=_seconds(verdict.base, verdict.candidate),
        evidence_url=verdict.evidence_url,
    )


def _seconds(*runs: SuiteRun) -> float:
    return sum(run.seconds for run in runs)
