"""The context of steps that make and prove a candidate: the mirror, the configuration and the carried patches.

It gives no access to GitHub, so a function that takes a `PickContext` cannot ask GitHub.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.carried.load import CarriedPatch, find_original
from bot.config import Config
from bot.git.repository import Repository
from bot.models import Progress, PullRequest, Signature, StopWhen, never, silent
from bot.pick.caches import PickCaches


@dataclass(frozen=True, slots=True, kw_only=True)
class PickContext:
    """One repository's mirror, its configuration, the carried patches that may apply there, and the caches of picks."""

    mirror: Repository
    config: Config
    patches: Mapping[str, CarriedPatch]
    progress: Progress = silent
    stop_when: StopWhen = never
    evidence: Path | None = None
    """The folder in which a proof on this machine keeps its runs' reports; None keeps nothing."""
    evidence_root: Path | None = None
    """Where proofs on this machine keep them for a month, each in a folder of its own, if `evidence` names none."""
    caches: PickCaches = field(default_factory=PickCaches)

    def patch_for(self, original: PullRequest) -> CarriedPatch | None:
        """Return the carried patch of an original pull request, or None."""
        return find_original(self.patches, self.config.repository, pull_request=original.number)

    def committer(self) -> Signature:
        """Return the configured committer with the present moment, for the commits of a candidate."""
        return Signature(self.config.committer.name, self.config.committer.email, f"{int(time.time())} +0000")
