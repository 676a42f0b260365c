"""What could not be picked, and what a backport would come to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.models.affected import Match
from bot.models.candidate import Certainty, StrategyResult
from bot.models.commits import RelatedCommit
from bot.models.ids import Sha


class ConflictKind(StrEnum):
    """What git could not merge, by the stages it left unmerged."""

    CONTENT = "content"
    MODIFY_DELETE = "modify/delete"
    ADD_ADD = "add/add"
    SUBMODULE = "submodule"
    BINARY = "binary"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ConflictFile:
    """One unmerged path; `regions` counts conflict regions and is 0 where a file has none (binary, deleted).

    `changed_by` are commits that changed the conflicting lines since the merge base, on either side.
    """

    path: str
    kind: ConflictKind
    regions: int
    changed_by: tuple[RelatedCommit, ...] = ()

    @property
    def beside(self) -> str:
        """Return the file in which a draft tells what each side has, where the path itself has no lines to mark."""
        return f"{self.path}.backport-conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """No rung made a whole candidate. `commit` is the first commit that would not pick."""

    branch: str
    base_commit: Sha
    commit: Sha
    files: tuple[ConflictFile, ...]
    rungs: tuple[StrategyResult, ...] = ()
    prerequisites: tuple[RelatedCommit, ...] = ()
    """The smallest set found, oldest first, with which a trial made the pick; empty if none was."""
    rest: Certainty | None = None
    """How sure the pick with the prerequisites is; None where all of it applies cleanly. A part of one is proposed."""


class Outlook(StrEnum):
    """What a target branch would come to, if the pull request were merged now and asked for there."""

    CLEAN = "clean"
    RESOLVABLE = "resolvable"
    CONFLICT = "conflict"
    NOT_AFFECTED = "not-affected"
    ALREADY_APPLIED = "already-applied"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetForecast:
    """What a trial pick says of one target branch before anything is asked for. `reason` is a sentence for people."""

    branch: str
    outlook: Outlook
    reason: str
    files: tuple[ConflictFile, ...] = ()
    findings: tuple[Match, ...] = ()
    prerequisites: tuple[RelatedCommit, ...] = ()
    rest: Certainty | None = None
