"""Words the table of a proof on several devices, a row for each, for Markdown, HTML and the terminal."""

from __future__ import annotations

from dataclasses import dataclass

from bot.models import DeviceVerdict, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """One device in words. `used` is the device that the suite itself used, and `minutes` the time of both runs."""

    name: str
    used: str
    outcome: str
    base: str
    candidate: str
    image: str
    minutes: str
    evidence_url: str


def device_rows(verdict: Verdict) -> tuple[DeviceRow, ...]:
    """Return a row for each device; none for a proof on one."""
    return tuple(map(_row, verdict.devices))


def decisive_device(verdict: Verdict) -> str:
    """Return the device whose runs a combined verdict shows; empty for a proof on one."""
    return next((entry.name for entry in verdict.devices if entry.outcome is verdict.outcome), "")


def _row(entry: DeviceVerdict) -> DeviceRow:
    return DeviceRow(
        name=entry.name,
        used=f"{entry.device.name}, {entry.device.arch}" if entry.device else "none",
        outcome=entry.outcome.value,
        base=_failures(entry.base_failed, entry.cases),
        candidate=_failures(entry.candidate_failed, entry.cases),
        image=entry.image or "none",
        minutes=f"{entry.seconds / 60:.1f}",
        evidence_url=entry.evidence_url,
    )


def _failures(failures: int | None, cases: int) -> str:
    return "no result" if failures is None else f"{failures} of {cases} failed"
