"""Converts results to plain data for scripts.

Scripts depend on the JSON keys. So a key may be added and is never renamed, and a key that does not apply is null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from bot.models import (
    AlreadyApplied,
    Cancelled,
    Certainty,
    Conflicted,
    DetectResult,
    Failed,
    Match,
    NotAffected,
    NothingLeft,
    NotProven,
    Opened,
    PullRequest,
    RelatedCommit,
    SuiteRun,
    TargetOutcome,
    Verdict,
    WouldOpen,
)
from bot.report.verdict import base_failed, candidate_failed, device_of, groups, overflow

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


def target_to_json(result: TargetOutcome) -> dict[str, Json]:
    """Return one target branch's outcome. `base_failed` and `candidate_failed` do not count known failures."""
    candidate = result.candidate if isinstance(result, Opened | NotProven | WouldOpen) else None
    verdict = result.verdict if isinstance(result, Opened | NotProven | WouldOpen) else None
    device = device_of(verdict) if verdict else None
    pull_request = _pull_request(result)
    return {
        "branch": result.target,
        "status": result.status.value,
        "method": candidate.method.value if candidate else None,
        "fidelity": candidate.fidelity.value if candidate else None,
        "verdict": verdict.outcome.value if verdict else None,
        "base_failed": base_failed(verdict) if verdict else None,
        "candidate_failed": candidate_failed(verdict) if verdict else None,
        "candidate_sha": candidate.commit if candidate else None,
        "companions": [companion.patch for companion in candidate.companions] if candidate else [],
        "pull_request": pull_request.number if pull_request else None,
        "device": str(device) if device else None,
        "devices": _devices(verdict) if verdict else [],
        "pull_request_url": pull_request.url if pull_request else None,
        "created": result.created if isinstance(result, Opened) else None,
        "past_end": _overflow(verdict) if verdict else None,
        "known_failures": len(verdict.known_failures) if verdict else None,
        "reason": _reason(result),
        "hint": result.hint if isinstance(result, Failed) else None,
        "evidence": _evidence(result.check.evidence) if isinstance(result, NotAffected) else [],
        "files": _files(result),
        "certainty": candidate.certainty.value if candidate else None,
        "findings": _evidence(candidate.findings) if candidate else [],
        "prerequisites": _prerequisites(result),
        "after_prerequisites": _after_prerequisites(result),
        "notes": _notes(result),
        "left_out": _left_out(result),
    }


def _left_out(result: TargetOutcome) -> list[Json]:
    """Return the files that the original changes and that the configuration leaves out of backports."""
    match result:
        case NothingLeft():
            return list(result.left_out)
        case Conflicted():
            return list(result.conflict.left_out)
        case Opened() | NotProven() | WouldOpen():
            return list(result.candidate.left_out) if result.candidate else []
        case _:
            return []


def _notes(result: TargetOutcome) -> list[Json]:
    """Return what was configured and could not be done."""
    if isinstance(result, Opened):
        return list(result.notes)
    return [result.note] if isinstance(result, Conflicted) and result.note else []


def check_to_json(report: DetectResult) -> dict[str, Json]:
    """Return the result of a carried patch's rules on a tree."""
    return {
        "patch": report.patch,
        "status": report.status.value,
        "reason": report.reason,
        "evidence": _evidence(report.evidence),
    }


def verdict_to_json(verdict: Verdict) -> dict[str, Json]:
    """Return a verdict with both runs, case by case."""
    device = device_of(verdict)
    return {
        "verdict": verdict.outcome.value,
        "reason": verdict.reason,
        "base_failed": base_failed(verdict),
        "candidate_failed": candidate_failed(verdict),
        "past_end": _overflow(verdict),
        "device": str(device) if device else None,
        "versions": _texts(device.versions) if device else {},
        "devices": _devices(verdict),
        "groups": [
            {
                "name": group.name,
                "cases": group.cases,
                "base_failed": group.base_failed,
                "candidate_failed": group.candidate_failed,
                "known": group.known,
            }
            for group in groups(verdict)
        ],
        "known_failures": [
            {"case": failure.case, "reason": failure.reason, "still_fails": failure.still_fails}
            for failure in verdict.known_failures
        ],
        "notes": list(verdict.notes),
        "evidence_url": verdict.evidence_url or None,
        "base": _run(verdict.base),
        "candidate": _run(verdict.candidate),
    }


def _devices(verdict: Verdict) -> list[Json]:
    """Return the verdict on each device; empty for a proof on one."""
    return [
        {
            "name": entry.name,
            "verdict": entry.outcome.value,
            "reason": entry.reason,
            "device": str(entry.device) if entry.device else None,
            "image": entry.image or None,
            "base_failed": entry.base_failed,
            "candidate_failed": entry.candidate_failed,
            "seconds": round(entry.seconds, 3),
            "evidence_url": entry.evidence_url or None,
        }
        for entry in verdict.devices
    ]


def _run(run: SuiteRun) -> dict[str, Json]:
    return {
        "tree": run.tree,
        "seconds": round(run.seconds, 3),
        "problem": run.problem or None,
        "cases": [
            {
                "name": case.name,
                "outcome": case.outcome.value,
                "message": case.message,
                "figures": _texts(case.figures),
            }
            for case in run.cases
        ],
    }


def _reason(result: TargetOutcome) -> str | None:  # noqa: PLR0911 - one for each outcome
    match result:
        case NotAffected():
            return result.check.reason
        case AlreadyApplied():
            return result.how
        case NothingLeft():
            return f"`pick.leave_out` leaves out all that it changes: {', '.join(result.left_out)}"
        case Failed():
            return result.message
        case Cancelled():
            return f"cancelled by {result.by}"
        case Opened() | NotProven() | WouldOpen():
            return result.verdict.reason if result.verdict else None
        case Conflicted():
            return f"conflict in {', '.join(file.path for file in result.conflict.files)}"


def _pull_request(result: TargetOutcome) -> PullRequest | None:
    if isinstance(result, Conflicted):
        return result.draft
    return result.pull_request if isinstance(result, Opened) else None


def _files(result: TargetOutcome) -> list[Json]:
    if isinstance(result, Conflicted):
        return [
            {
                "path": file.path,
                "kind": file.kind.value,
                "regions": file.regions,
                "changed_by": _commits(file.changed_by),
            }
            for file in result.conflict.files
        ]
    if isinstance(result, NotProven | WouldOpen) or (isinstance(result, Opened) and result.candidate):
        candidate = result.candidate
        return list(candidate.files) if candidate else []
    return []


def _prerequisites(result: TargetOutcome) -> list[Json]:
    """Return the earlier commits that a pick lacks, or those that it brought along on request."""
    if isinstance(result, Conflicted):
        return _commits(result.conflict.prerequisites)
    candidate = result.candidate if isinstance(result, Opened | NotProven | WouldOpen) else None
    return _commits(candidate.prerequisites) if candidate else []


def _after_prerequisites(result: TargetOutcome) -> str | None:
    if not isinstance(result, Conflicted):
        return None
    return outlook_after(result.conflict.prerequisites, result.conflict.rest)


def outlook_after(prerequisites: Sequence[RelatedCommit], certainty: Certainty | None) -> str | None:
    """Return the result of the pick after its prerequisites: `applies`, or how sure the resolution of the rest is."""
    if not prerequisites:
        return None
    return certainty.value if certainty else "applies"


def _commits(commits: tuple[RelatedCommit, ...]) -> list[Json]:
    return [
        {
            "sha": commit.sha,
            "subject": commit.subject,
            "author": commit.author,
            "on_target": commit.on_target,
            "paths": list(commit.paths) or None,
        }
        for commit in commits
    ]


def _overflow(verdict: Verdict) -> Json:
    elements = overflow(verdict)
    return {"before": elements[0], "after": elements[1]} if elements else None


def _evidence(places: tuple[Match, ...]) -> list[Json]:
    return [{"file": place.file, "line": place.line, "rule": place.rule, "detail": place.detail} for place in places]


def _texts(values: Mapping[str, str]) -> dict[str, Json]:
    return dict(values)
