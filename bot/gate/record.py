"""Verdict ⇄ JSON, as `verdict.json` holds it: the evidence that outlives the processes it came from.

The shape is `verdict.schema.json` beside this file; scripts read it, so names in it stay.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.model import CaseOutcome, CaseResult, Device, KnownFailure, SuiteRun, Verdict, VerdictOutcome

SCHEMA = Path(__file__).with_name("verdict.schema.json")
"""JSON Schema of the record."""


def verdict_to_json(verdict: Verdict) -> dict[str, Any]:
    """Return the whole verdict as plain data."""
    return {
        "outcome": str(verdict.outcome),
        "reason": verdict.reason,
        "base": _run_to_json(verdict.base),
        "candidate": _run_to_json(verdict.candidate),
        "known_failures": [
            {"case": known.case, "reason": known.reason, "still_fails": known.still_fails}
            for known in verdict.known_failures
        ],
        "notes": list(verdict.notes),
    }


def verdict_from_json(data: Mapping[str, Any]) -> Verdict:
    """Read a record that `verdict_to_json` made. Raises KeyError, TypeError or ValueError on anything else."""
    return Verdict(
        outcome=VerdictOutcome(data["outcome"]),
        reason=data["reason"],
        base=_run_from_json(data["base"]),
        candidate=_run_from_json(data["candidate"]),
        known_failures=tuple(KnownFailure(**known) for known in data["known_failures"]),
        notes=tuple(data.get("notes", ())),
    )


def write_verdict(verdict: Verdict, file: Path) -> None:
    """Write the record, replacing what was there."""
    file.write_text(json.dumps(verdict_to_json(verdict), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


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
        "cases": cases,
    }


def _run_from_json(data: Mapping[str, Any]) -> SuiteRun:
    cases = (CaseResult(**{**case, "outcome": CaseOutcome(case["outcome"])}) for case in data["cases"])
    device = Device(**data["device"]) if data["device"] else None
    return SuiteRun(
        tree=data["tree"],
        problem=data["problem"],
        seconds=data["seconds"],
        device=device,
        cases=tuple(cases),
        commit=data.get("commit", ""),
    )
