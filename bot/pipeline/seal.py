"""The third stage: fix what plan and pick left, before the first job that runs somebody's code.

The digest has to travel past those jobs on a way that they cannot write to (in GitHub Actions: a job's output).
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.models import Candidate
from bot.pipeline.records import Planned
from bot.pipeline.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class Sealed:
    """The digest, and the targets whose candidate is to be proven."""

    seal: str
    to_prove: tuple[Planned, ...]


def seal_picks(folder: RunFolder) -> Sealed:
    """Return the seal of the folder as it is. A target whose pick left nothing is not proven, and stops no other."""
    planned = folder.plan().planned()
    to_prove = tuple(each for each in planned if each.request.options.prove and _has_candidate(each, folder))
    return Sealed(folder.seal(), to_prove)


def _has_candidate(planned: Planned, folder: RunFolder) -> bool:
    picked = folder.picked(planned.id)
    return picked is not None and isinstance(picked.made.value, Candidate)
