"""Renders the diagnoses of `doctor` for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from bot.models.diagnosis import Diagnosis, Health
from bot.report.terminal import plain

_MARKS = {Health.GOOD: "ok", Health.NOTE: "note", Health.BAD: "BAD", Health.UNKNOWN: "?"}


def render_diagnosis(diagnosis: Diagnosis) -> str:
    """Word one diagnosis: the fact, and on lines of their own what follows and what to do."""
    first = f"{_MARKS[diagnosis.health]:<5}{diagnosis.subject}: {plain(diagnosis.fact)}"
    further = [f"     {plain(text)}" for text in (diagnosis.consequence, diagnosis.remedy) if text]
    return "\n".join([first, *further])


def render_total(diagnoses: Sequence[Diagnosis]) -> str:
    """Word how many conditions are not met."""
    number = sum(diagnosis.health is Health.BAD for diagnosis in diagnoses)
    return f"{number} of {len(diagnoses)} conditions are not met." if number else "Nothing stands in the way."


def diagnoses_to_json(diagnoses: Sequence[Diagnosis]) -> list[dict[str, str]]:
    """Return the diagnoses as data."""
    return [
        {
            "subject": diagnosis.subject,
            "health": diagnosis.health.value,
            "fact": diagnosis.fact,
            "consequence": diagnosis.consequence,
            "remedy": diagnosis.remedy,
        }
        for diagnosis in diagnoses
    ]
