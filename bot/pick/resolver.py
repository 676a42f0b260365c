"""The interfaces of conflict resolvers: a resolver resolves single files or single regions of a conflict.

`bot.pick.resolve_conflicts` asks resolvers in order. It makes a candidate only if every conflict is resolved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.git.conflict_markers import Parts
from bot.git.objects import SUBMODULE
from bot.git.repository import Quarantine
from bot.git.trial_pick import UnmergedPick
from bot.git.unmerged_paths import UnmergedFile
from bot.models import Certainty, Resolution, Sha
from bot.pick.attempt import Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictedFile:
    """A conflicting path of one pick with the content of each side. A side is None if it has no such file.

    `parts` is the file as git merged it, in order: settled text and regions. It is empty if git left no regions,
    because a side is missing or is a binary file, a link or a submodule.
    """

    commit: Sha
    unmerged_file: UnmergedFile
    base: bytes | None
    ours: bytes | None
    theirs: bytes | None
    parts: Parts

    @property
    def path(self) -> str:
        """The path on the target, with "/"."""
        return self.unmerged_file.path


def load_conflict(
    repository: Quarantine, pick: UnmergedPick, unmerged_file: UnmergedFile, parts: Parts
) -> ConflictedFile:
    """Read the sides of a conflicting path; a submodule has no content."""
    base, ours, theirs = (
        repository.read_blob(entry.sha) if entry and entry.mode != SUBMODULE else None
        for entry in (unmerged_file.base, unmerged_file.ours, unmerged_file.theirs)
    )
    return ConflictedFile(
        commit=pick.commit, unmerged_file=unmerged_file, base=base, ours=ours, theirs=theirs, parts=parts
    )


@dataclass(frozen=True, slots=True)
class RegionResolution:
    """The resolved text of a region, its certainty, and the reason as a sentence for the reviewer."""

    text: bytes
    certainty: Certainty
    explanation: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The resolution of one region in figures: `chance` is the probability that people would commit it."""

    chance: float
    traits: frozenset[str]


@dataclass(frozen=True, slots=True)
class FileResolution:
    """New contents by path. None removes a file; a conflicting path without an entry stays as on the target.

    `regions` are shown to the reviewer; without any, the file is shown as a whole. `decisions` and `traits` (facts
    about the file, by name) go into the confidence of the whole pick.
    """

    changes: Mapping[str, bytes | None]
    certainty: Certainty
    explanation: str
    regions: tuple[Resolution, ...] = ()
    decisions: tuple[Decision, ...] = ()
    traits: frozenset[str] = frozenset()


RateConfidence = Callable[[Sequence[tuple[ConflictedFile, FileResolution]]], Certainty | None]
"""Returns the certainty of one pick from the resolutions of all its files, or None if it is too low to propose."""


class FileResolver(Protocol):
    """Resolves whole files. It returns None for a file that it cannot resolve; the next resolver is asked then."""

    name: str

    def resolve_file(self, file: ConflictedFile, attempt: Attempt) -> FileResolution | None:
        """Resolve a content, add/add, modify/delete or binary conflict."""


class RegionResolver(Protocol):
    """Resolves single regions. It returns None for a region that it cannot resolve."""

    name: str

    def resolve_region(self, file: ConflictedFile, index: int, attempt: Attempt) -> RegionResolution | None:
        """Resolve the region `file.parts[index]`; its neighbours in `parts` are the context."""
