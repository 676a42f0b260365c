"""Whether the cases may begin: where runs take turns on one device, a run can start up while another still has it."""

from __future__ import annotations

import os
import time
from pathlib import Path

SIGN = "SUITE_TURN"
_STEP = 0.02


def wait() -> None:
    """Return once the file that SUITE_TURN names is there, and at once where it names none."""
    sign = os.environ.get(SIGN)
    while sign and not Path(sign).exists():
        time.sleep(_STEP)
