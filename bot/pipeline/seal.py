"""The third stage: seals the files of plan and pick before the first job that runs untrusted code.

The digest has to travel past those jobs on a way that they cannot write to (in GitHub Actions: a job's output).
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.models import Candidate
from bot.pipeline.run_folder import RunFolder
from bot.pipeline.run_folder_records import PlannedTarget


@dataclass(frozen=True, slots=True)
class SealedPicks:
    """The digest, and the targets whose candidate is to be proven."""

    seal: str
    to_prove: tuple[PlannedTarget, ...]


def seal_picks(folder: RunFolder) -> SealedPicks:
    """Return the seal of the folder as it is. A target whose pick left nothing is not proven, and stops no other."""
    targets = folder.plan().planned_targets()
    to_prove = tuple(target for target in targets if target.request.options.prove and _has_candidate(target, folder))
    return SealedPicks(folder.seal(), to_prove)


def _has_candidate(target: PlannedTarget, folder: RunFolder) -> bool:
    record = folder.read_pick(target.id)
    return record is not None and isinstance(record.made.value, Candidate)
