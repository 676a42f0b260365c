"""Conflicts of a pick."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.models.candidate import Certainty, StrategyResult
from bot.models.commits import RelatedCommit
from bot.models.names import Sha


class ConflictKind(StrEnum):
    """The kind of an unmerged path, by the stages that git left in the index."""

    CONTENT = "content"
    MODIFY_DELETE = "modify/delete"
    ADD_ADD = "add/add"
    SUBMODULE = "submodule"
    BINARY = "binary"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ConflictFile:
    """One unmerged path; `regions` counts its conflict regions and is 0 if it has none (binary, deleted).

    `changed_by` are commits that changed the conflicting lines since the merge base, on either side.
    """

    path: str
    kind: ConflictKind
    regions: int
    changed_by: tuple[RelatedCommit, ...] = ()

    @property
    def beside(self) -> str:
        """The file that a draft adds to show both sides if the path itself has no lines to mark."""
        return f"{self.path}.backport-conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A pick that no strategy could make. `commit` is the first commit that conflicts."""

    branch: str
    base_commit: Sha
    commit: Sha
    files: tuple[ConflictFile, ...]
    rungs: tuple[StrategyResult, ...] = ()
    left_out: tuple[str, ...] = ()
    """Files that the originals change and the configuration leaves out of backports; they are no conflict."""
    prerequisites: tuple[RelatedCommit, ...] = ()
    """The smallest set, oldest first, with which a trial pick succeeded; empty if none was found."""
    rest: Certainty | None = None
    """The certainty of the pick with the prerequisites; None if all of it applies cleanly."""
