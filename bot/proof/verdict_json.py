"""Converts verdicts to and from the JSON of `verdict.json`, which is kept after the processes have ended.

The shape is `verdict.schema.json` beside this file; scripts read it, so names in it stay.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from bot.environment.untrusted_files import write_file
from bot.models import CaseResult, Device, DeviceVerdict, SuiteRun, Verdict
from bot.proof.junit import LONGEST_MESSAGE, LONGEST_NAME, MOST_CASES
from bot.text.sanitize import printable, printable_line

SCHEMA = Path(__file__).with_name("verdict.schema.json")
"""JSON Schema of the record."""
_VERDICT = TypeAdapter(Verdict)


def verdict_to_json(verdict: Verdict) -> dict[str, Any]:
    """Return the whole verdict as plain data."""
    return {
        "outcome": str(verdict.outcome),
        "reason": verdict.reason,
        "base": _run_to_json(verdict.base),
        "candidate": _run_to_json(verdict.candidate),
        "known_failures": [
            {"case": failure.case, "reason": failure.reason, "still_fails": failure.still_fails}
            for failure in verdict.known_failures
        ],
        "notes": list(verdict.notes),
        **({"devices": [_device_to_json(entry) for entry in verdict.devices]} if verdict.devices else {}),
    }


def verdict_from_json(text: bytes) -> Verdict:
    """Read a record of `verdict_to_json`, from any author. Characters that cannot be shown are replaced.

    Raises ValueError on anything else, whatever its types, depth or numbers.
    """
    return clean_verdict(_VERDICT.validate_json(text))


def clean_verdict(verdict: Verdict) -> Verdict:
    """Return an untrusted verdict with printable texts and finite times.

    Raises ValueError where it has more cases than MOST_CASES.
    """
    return replace(
        verdict,
        reason=printable(verdict.reason, LONGEST_MESSAGE),
        base=_cleaned_run(verdict.base),
        candidate=_cleaned_run(verdict.candidate),
        known_failures=tuple(
            replace(
                failure,
                case=printable_line(failure.case, LONGEST_NAME),
                reason=printable(failure.reason, LONGEST_MESSAGE),
            )
            for failure in verdict.known_failures
        ),
        notes=tuple(printable(note, LONGEST_MESSAGE) for note in verdict.notes),
        evidence_url=printable_line(verdict.evidence_url, LONGEST_NAME),
        devices=(),  # a machine speaks for one device, and the bot puts several together itself
    )


def write_verdict(verdict: Verdict, file: Path) -> None:
    """Write the record, replacing what was there."""
    text = json.dumps(verdict_to_json(verdict), indent=1, ensure_ascii=False) + "\n"
    write_file(file.parent, file.name, text.encode())


def _device_to_json(entry: DeviceVerdict) -> dict[str, Any]:
    return {
        "name": entry.name,
        "outcome": str(entry.outcome),
        "reason": entry.reason,
        "device": entry.device and str(entry.device),
        "image": entry.image,
        "cases": entry.cases,
        "base_failed": entry.base_failed,
        "candidate_failed": entry.candidate_failed,
        "seconds": entry.seconds,
    }


def _run_to_json(run: SuiteRun) -> dict[str, Any]:
    device = run.device and {
        "kind": run.device.kind,
        "name": run.device.name,
        "arch": run.device.arch,
        "versions": dict(run.device.versions),
    }
    cases = [
        {
            "name": case.name,
            "outcome": str(case.outcome),
            "message": case.message,
            "seconds": case.seconds,
            "figures": dict(case.figures),
        }
        for case in run.cases
    ]
    return {
        "tree": run.tree,
        "commit": run.commit,
        "problem": run.problem,
        "seconds": run.seconds,
        "device": device,
        "isolation": run.isolation and str(run.isolation),
        "covered": dict(run.covered),
        "image": run.image,
        "cases": cases,
    }


def _cleaned_run(run: SuiteRun) -> SuiteRun:
    if len(run.cases) > MOST_CASES:
        raise ValueError(f"a run has more than {MOST_CASES:,} cases")
    return replace(
        run,
        tree=printable_line(run.tree, LONGEST_NAME),
        commit=printable_line(run.commit, LONGEST_NAME),
        problem=printable(run.problem, LONGEST_MESSAGE),
        seconds=_finite(run.seconds),
        device=run.device and _cleaned_device(run.device),
        covered=_cleaned_texts(run.covered),
        image=printable_line(run.image, LONGEST_NAME),
        cases=tuple(map(_cleaned_case, run.cases)),
    )


def _cleaned_case(case: CaseResult) -> CaseResult:
    return replace(
        case,
        name=printable_line(case.name, LONGEST_NAME),
        message=printable(case.message, LONGEST_MESSAGE),
        seconds=_finite(case.seconds),
        figures=_cleaned_texts(case.figures),
    )


def _cleaned_device(device: Device) -> Device:
    kind, name, arch = (printable_line(text, LONGEST_NAME) for text in (device.kind, device.name, device.arch))
    return Device(kind=kind, name=name, arch=arch, versions=_cleaned_texts(device.versions))


def _cleaned_texts(texts: Mapping[str, str]) -> dict[str, str]:
    return {printable_line(key, LONGEST_NAME): printable(text, LONGEST_MESSAGE) for key, text in texts.items()}


def _finite(seconds: float) -> float:
    return seconds if math.isfinite(seconds) and seconds >= 0 else 0.0
