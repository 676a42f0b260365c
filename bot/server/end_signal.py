"""Waits for the signal that ends the service.

The command line's handlers raise an exception. It can be lost: Python only prints an exception that a callback of the
garbage collector raises, and a handler may run in the middle of one. So here a handler only writes a byte.
"""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import NoReturn, Self

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class EndSignal:
    """Takes the signals from the start of the block until the first of them has come. A second one has its old effect.

    It belongs to the main thread, as signal handlers do. Signals that the process was started to ignore stay so.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self._handlers = {number: signal.getsignal(number) for number in _ENDS}
        self._number = 0

    def __enter__(self) -> Self:
        """Take the signals."""
        for number, handler in self._handlers.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        """Give the signals back."""
        self._give_back()
        os.close(self._reader)
        os.close(self._writer)

    def tell(self) -> None:
        """End the waiting without a signal; any thread may call this."""
        os.write(self._writer, b".")

    def wait(self) -> None:
        """Wait until a signal has come, or until `tell`."""
        os.read(self._reader, 1)
        self._give_back()

    def raise_it(self) -> NoReturn:
        """End the process as the signal would have."""
        if self._number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + self._number)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._number = number
        self.tell()

    def _give_back(self) -> None:
        for number, handler in self._handlers.items():
            if handler is not None:
                signal.signal(number, handler)
