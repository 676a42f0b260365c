"""What the plan of a CI run hands to the jobs that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.models import TargetOutcome

if TYPE_CHECKING:
    # Slow to import, and a comment is acknowledged before anything slow.
    from bot.pipeline.run_folder_records import PlannedTarget


@dataclass(frozen=True, slots=True)
class Ready:
    """What the jobs after the plan need: the targets to pick, and the digest over plan/.

    `account`: the pick needs the account that publishes. `runner`: the labels of the machine that proves, if the
    configuration names one. `results` are the targets that ended with the plan.
    """

    targets: tuple[PlannedTarget, ...] = ()
    results: tuple[TargetOutcome, ...] = ()
    seal: str = ""
    account: bool = False
    runner: tuple[str, ...] = ()
