"""Converts a sync run to plain data for scripts. A key may be added and is never renamed; if it is void it is null."""

from __future__ import annotations

from bot.models import TargetOutcome
from bot.report.json_data import Json, target_to_json
from bot.report.sync_text import counts, days, next_step
from bot.sync.survey import SyncReport
from bot.sync.types import MISSING, BranchState, OriginalState


def sync_to_json(survey: SyncReport, results: tuple[TargetOutcome, ...]) -> dict[str, Json]:
    """Return the survey and the outcomes of this run's attempts. Outcomes have the same keys as in the demo."""
    return {
        "repository": survey.repository,
        "main": survey.main,
        "moment": survey.moment,
        "branches": [_branch(state, survey.moment) for state in survey.branches],
        "results": [target_to_json(result) for result in results],
    }


def _branch(state: BranchState, moment: int) -> dict[str, Json]:
    numbers: dict[str, Json] = {kind.value: number for kind, number in counts(state).items()}
    return {
        "branch": state.branch,
        "tip": state.tip,
        "branch_point": state.point,
        "problem": state.problem or None,
        "counts": numbers,
        "standings": [_original(entry, moment) for entry in state.originals],
        "not_asked": list(state.not_asked),
    }


def _original(entry: OriginalState, moment: int) -> dict[str, Json]:
    original = entry.original
    return {
        "original": original.name,
        "number": original.number,
        "commits": list(original.commits),
        "title": original.title,
        "url": original.url or None,
        "state": entry.state.value,
        "reason": entry.reason,
        "asked_by": entry.asked_by or None,
        "needs": list(entry.needs),
        "waits": entry.waits or None,
        "next": next_step(entry) or None,
        "pull_request": entry.pull_request,
        "merged": original.merged,
        "landed": entry.landed or None,
        "missing_days": days(entry, moment) if entry.state in MISSING else None,
    }
