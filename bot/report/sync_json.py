"""A sync run → plain data for scripts. A key is added, never renamed, and is null where it does not apply."""

from __future__ import annotations

from bot.models import TargetOutcome
from bot.report.json_data import Json, target_to_json
from bot.report.sync_text import counts, days, next_step
from bot.sync.survey import SyncReport
from bot.sync.types import MISSING, BranchState, OriginalState


def sync_to_json(survey: SyncReport, results: tuple[TargetOutcome, ...]) -> dict[str, Json]:
    """Return the whole picture. `results` are the endings of this run's attempts, with the keys that the demo has."""
    return {
        "repository": survey.repository,
        "main": survey.main,
        "moment": survey.moment,
        "branches": [_branch(state, survey.moment) for state in survey.branches],
        "results": [target_to_json(result) for result in results],
    }


def _branch(state: BranchState, moment: int) -> dict[str, Json]:
    numbers: dict[str, Json] = {each.value: number for each, number in counts(state).items()}
    return {
        "branch": state.branch,
        "tip": state.tip,
        "branch_point": state.point,
        "problem": state.problem or None,
        "counts": numbers,
        "standings": [_standing(each, moment) for each in state.originals],
        "not_asked": list(state.not_asked),
    }


def _standing(standing: OriginalState, moment: int) -> dict[str, Json]:
    original = standing.original
    return {
        "original": original.name,
        "number": original.number,
        "commits": list(original.commits),
        "title": original.title,
        "url": original.url or None,
        "state": standing.state.value,
        "reason": standing.reason,
        "asked_by": standing.asked_by or None,
        "needs": list(standing.needs),
        "waits": standing.waits or None,
        "next": next_step(standing) or None,
        "pull_request": standing.pull_request,
        "merged": original.merged,
        "landed": standing.landed or None,
        "missing_days": days(standing, moment) if standing.state in MISSING else None,
    }
