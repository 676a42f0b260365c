"""Handles SIGINT, SIGTERM and SIGHUP: it ends the running suites, then this process, which cleans up."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_with_signals() -> None:
    """Install the handlers, except for signals that the process was started to ignore, as with `nohup`."""
    for number in _ENDS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    launcher = sys.modules.get("bot.proof.run_isolated")  # if it was not imported, no suite was started
    if launcher is not None:
        launcher.end_runs()
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)
