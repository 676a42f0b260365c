"""A change that is proven: the trees without and with it, and what is known of the difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.carried.load import CarriedPatch
from bot.carried.source_tree import DirectoryTree
from bot.config import ProveConfig
from bot.models import Sha
from bot.proof.select_suites import Suites, suites_for


@dataclass(frozen=True, slots=True)
class Change:
    """Two trees on disk, and the carried patch between them, if there is one.

    `companions` are the carried patches that were applied with it, and `patches` all that are known, by name.
    `changed_files` are the paths in which the trees differ, and `commits` their commits, if they have any. Kernels that
    the base run compiles are kept for other proofs on the commit `kernels_of`: name it only if the tree is written from
    that commit's objects for this proof. `branch` is the target branch, which selects what is configured by branch.
    """

    base: Path
    candidate: Path
    patch: CarriedPatch | None
    companions: Sequence[CarriedPatch] = ()
    patches: Mapping[str, CarriedPatch] = field(default_factory=dict)
    branch: str = ""
    changed_files: Sequence[str] = ()
    commits: tuple[str, str] = ("", "")
    kernels_of: Sha | None = None

    @property
    def carried(self) -> list[CarriedPatch]:
        """The carried patches that make up the change, in order."""
        return [*([self.patch] if self.patch is not None else ()), *self.companions]

    def suites(self, settings: ProveConfig) -> Suites:
        """Return the suites that prove the change: those of its carried patches, or the tests that it brings."""
        trees = DirectoryTree(self.base), DirectoryTree(self.candidate)
        return suites_for(self.branch, self.patch, self.companions, self.changed_files, *trees, settings)
