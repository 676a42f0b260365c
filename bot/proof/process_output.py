"""Follows the output of a process line by line while it runs.

Foreign code writes to the pipe. A line of any length and any number of lines cost bounded memory, other threads run
meanwhile, and no call waits longer than its caller says.
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

        Of what arrives at once `watch` gets only the last lines: people cannot read what is printed faster.
        """
        self._pipe, self._watch = pipe, watch
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._partial = b""
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
                # A plain read would wait as long as anything holds the pipe open.
                if not readable.poll(_STEP):
                    continue
                chunk = os.read(self._pipe, _CHUNK)
                if not chunk:
                    break
                self._take(chunk)
            if self._partial:
                self._take(b"\n")
        finally:
            os.close(self._pipe)

    def _take(self, chunk: bytes) -> None:
        # A progress bar rewrites its line with a carriage return; each state counts as a line.
        lines = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rsplit(b"\n", KEPT_LINES)
        complete, remainder = lines[:-1], lines[-1]
        if not complete:
            self._partial = self._extend_partial(remainder)
            return
        first = (
            complete[0].rpartition(b"\n")[2]
            if len(lines) > KEPT_LINES and b"\n" in complete[0]
            else self._extend_partial(complete[0])
        )
        self._partial = remainder[:LONGEST_LINE]
        for line in (first, *complete[1:]):
            text = printable_line(line[:LONGEST_LINE].decode(errors="replace"), LONGEST_LINE)
            self._lines.append(text)
            self._watch(text)

    def _extend_partial(self, addition: bytes) -> bytes:
        return self._partial + addition[: max(0, LONGEST_LINE - len(self._partial))]
