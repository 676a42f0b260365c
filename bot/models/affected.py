"""Whether a tree has the fault that a carried patch fixes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Affectedness(StrEnum):
    """What a carried patch's `detect` rules say of a tree."""

    AFFECTED = "affected"
    FIXED = "fixed"
    NOT_AFFECTED = "not-affected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Match:
    """One place that a rule saw. `line` counts from 1; 0 speaks of the whole file."""

    file: str
    line: int
    rule: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectResult:
    """A tree's status with the reason a person reads and the evidence behind it."""

    patch: str
    status: Affectedness
    reason: str
    evidence: tuple[Match, ...] = ()
