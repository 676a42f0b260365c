"""Whether a tree has the fault that a carried patch fixes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Affectedness(StrEnum):
    """The status of a tree by a carried patch's `detect` rules."""

    AFFECTED = "affected"
    FIXED = "fixed"
    NOT_AFFECTED = "not-affected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Match:
    """A place that a rule matched. `line` counts from 1; 0 stands for the whole file."""

    file: str
    line: int
    rule: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectResult:
    """A tree's status, the reason for people, and the places that show it."""

    patch: str
    status: Affectedness
    reason: str
    evidence: tuple[Match, ...] = ()
