"""What SIGINT, SIGTERM and SIGHUP do: the suites in hand end, then this process, with what it has open tidied up."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_with_signals() -> None:
    """Install that for this process, but leave alone what it was started to ignore, as `nohup` does."""
    for number in _ENDS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    place = sys.modules.get("bot.proof.launcher")  # not imported, nothing was started
    if place is not None:
        place.end_runs()
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)
