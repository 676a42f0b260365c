"""Decides when each of the two runs of a proof begins.

On a CPU the two share nothing and run side by side. On a GPU the base runs first; a suite that can wait for its turn
starts up meanwhile.
"""

from __future__ import annotations

import contextlib
import os
from enum import Enum
from pathlib import Path

from bot.errors import SuiteError
from bot.models import CommandSuite, Suite
from bot.proof.gpu_devices import has_gpu
from bot.proof.isolated_command import IsolationSettings


class RunOrder(Enum):
    """When the candidate run starts: with the base run, with it but waiting for its turn, or after it."""

    TOGETHER = "together"
    IN_TURN = "in turn"
    AFTER = "after"


def choose_order(suite: Suite | CommandSuite, device: str, isolation: IsolationSettings) -> RunOrder:
    """Choose the order. Runs that share a network do not go side by side: both would want the same port."""
    if (os.cpu_count() or 1) == 1:
        return RunOrder.AFTER
    if (device == "cpu" or (device == "auto" and not has_gpu())) and not isolation.network:
        return RunOrder.TOGETHER
    return RunOrder.IN_TURN if isinstance(suite, Suite) and suite.takes_turns else RunOrder.AFTER


def first_writable(*folders: Path) -> Path:
    """Make the first of these folders that can be made and written to, and return it; raises SuiteError for none."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    raise SuiteError(f"{folders[-1]} cannot be written to; nothing was run.", hint="Check the disk, and TMPDIR.")
