"""What a process prints, followed line by line while it runs.

Owns the reading of a pipe that somebody's code writes to: a line of any length and any number of lines cost bounded
memory, other threads go on meanwhile, and nothing is waited for longer than the caller says.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable

from bot.text.sanitize import printable_line

KEPT_LINES = 60
LONGEST_LINE = 4096
"""Bytes of a line that are kept."""
_CHUNK = 64 * 1024
_STEP = 200
"""Milliseconds between two looks at whether to stop."""


class Output:
    """Reads a pipe in a thread of its own, from when it is made until `tail` is asked for."""

    def __init__(self, pipe: int, watch: Callable[[str], None]) -> None:
        """Begin. The pipe's descriptor is closed at the end; `watch` gets lines in the thread that reads.

        Of what arrives at once `watch` gets the last lines only: whoever prints faster than that is not read by people.
        """
        self._pipe, self._watch = pipe, watch
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._begun = b""
        self._until = float("inf")
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def tail(self, within: float) -> tuple[str, ...]:
        """Return the last lines, after reading to the end of the pipe or for so many more seconds.

        Something that outlived the process may hold the pipe open, and may go on writing to it.
        """
        self._until = time.monotonic() + within
        self._thread.join()
        return tuple(self._lines)

    def _follow(self) -> None:
        readable = select.poll()
        readable.register(self._pipe, select.POLLIN)
        try:
            while time.monotonic() < self._until:
                if not readable.poll(_STEP):
                    continue
                chunk = os.read(self._pipe, _CHUNK)
                if not chunk:
                    break
                self._take(chunk)
            if self._begun:
                self._take(b"\n")
        finally:
            os.close(self._pipe)

    def _take(self, chunk: bytes) -> None:
        lines = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rsplit(b"\n", KEPT_LINES)
        whole, rest = lines[:-1], lines[-1]
        if not whole:
            self._begun = self._joined(rest)
            return
        first = (
            whole[0].rpartition(b"\n")[2] if len(lines) > KEPT_LINES and b"\n" in whole[0] else self._joined(whole[0])
        )
        self._begun = rest[:LONGEST_LINE]
        for line in (first, *whole[1:]):
            shown = printable_line(line[:LONGEST_LINE].decode(errors="replace"), LONGEST_LINE)
            self._lines.append(shown)
            self._watch(shown)

    def _joined(self, more: bytes) -> bytes:
        return self._begun + more[: max(0, LONGEST_LINE - len(self._begun))]
