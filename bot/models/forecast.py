"""Forecasts of a backport to a target branch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.models.affected import Match
from bot.models.candidate import Certainty
from bot.models.commits import RelatedCommit
from bot.models.conflict import ConflictFile


class Outlook(StrEnum):
    """The forecast for a target branch, in the words that scripts read.

    A member has the name and the value that `Status` has for the same outcome. A forecast has no proof, so a candidate
    is clean or resolvable here, and becomes opened or not proven in a request.
    """

    CLEAN = "clean"
    RESOLVABLE = "resolvable"
    CONFLICT = "conflict"
    NOT_AFFECTED = "not-affected"
    ALREADY_APPLIED = "already-applied"
    NOTHING_LEFT = "nothing-left"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetForecast:
    """The forecast for one target branch. `reason` is a sentence for people."""

    branch: str
    outlook: Outlook
    reason: str
    files: tuple[ConflictFile, ...] = ()
    findings: tuple[Match, ...] = ()
    prerequisites: tuple[RelatedCommit, ...] = ()
    rest: Certainty | None = None
    left_out: tuple[str, ...] = ()
