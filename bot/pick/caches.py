"""The caches of picks in one repository: facts of its history, read once and shared by all attempts.

The backport index and the resolutions of conflicts are also kept in files, for later processes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bot.git.branch_only_commits import BranchOnlyCommits
from bot.git.first_parents import FirstParents
from bot.git.renames import Renames
from bot.pick.backport_index import BackportIndex
from bot.pick.mainline_changes import MainlineChanges
from bot.pick.resolution_cache import ResolutionCache
from bot.pick.resolution_memory import ResolutionMemory


@dataclass(frozen=True, slots=True)
class PickCaches:
    """Facts of a repository's history that several attempts need."""

    index: BackportIndex = field(default_factory=BackportIndex)
    memory: ResolutionMemory = field(default_factory=ResolutionMemory)
    histories: BranchOnlyCommits = field(default_factory=BranchOnlyCommits)
    resolutions: ResolutionCache = field(default_factory=ResolutionCache)
    line: FirstParents = field(default_factory=FirstParents)
    moves: Renames = field(init=False)
    mainline_changes: MainlineChanges = field(init=False)

    def __post_init__(self) -> None:
        """Let renames and mainline changes share one reading of main's first-parent chain."""
        object.__setattr__(self, "moves", Renames(self.line))
        object.__setattr__(self, "mainline_changes", MainlineChanges(self.line))

    @classmethod
    def open(cls, directory: Path) -> PickCaches:
        """Open the caches in a directory beside the mirror; files are created if they are missing."""
        return cls(BackportIndex.open(directory / "backports.json"), ResolutionMemory(directory / "resolutions.sqlite"))
