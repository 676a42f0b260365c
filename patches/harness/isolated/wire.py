"""Messages between judge and child: one JSON object a line, over a stream socket.

Reading is bounded in bytes and in time, so that a child that floods or falls silent costs a known amount.
"""

from __future__ import annotations

import json
import select
import socket
import time
from typing import Any

LARGEST = 4 * 1024 * 1024
"""Bytes of one message that are still read."""


class BadMessage(Exception):
    """What came is no message: too long, no JSON, or no object."""


class Silent(Exception):
    """No message came in time."""


class Closed(Exception):
    """The other side has gone."""


class Wire:
    """One end of the connection; `pending` holds what was read past the last message."""

    def __init__(self, end: socket.socket) -> None:
        self._end, self._read = end, bytearray()

    def send(self, message: dict[str, Any]) -> None:
        """Send one message. Raises Closed."""
        try:
            self._end.settimeout(None)
            self._end.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            raise Closed from None

    def receive(self, seconds: float | None = None) -> dict[str, Any]:
        """Return the next message. Raises BadMessage, Silent or Closed."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while b"\n" not in self._read:
            if len(self._read) > LARGEST:
                raise BadMessage(f"an answer of more than {LARGEST} bytes")
            self._more(deadline)
        line, _, rest = bytes(self._read).partition(b"\n")
        self._read = bytearray(rest)
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            raise BadMessage("an answer that is no JSON") from None
        if not isinstance(message, dict):
            raise BadMessage("an answer that is no JSON object")
        return message

    def anything_waits(self) -> bool:
        """Whether something has come that nobody has read."""
        return bool(self._read) or bool(select.select([self._end], [], [], 0)[0] and self._peek())

    def close(self) -> None:
        """Close this end."""
        self._end.close()

    def _peek(self) -> bytes:
        try:
            return self._end.recv(1, socket.MSG_PEEK)
        except OSError:
            return b""

    def _more(self, deadline: float | None) -> None:
        self._end.settimeout(None if deadline is None else max(0.001, deadline - time.monotonic()))
        try:
            chunk = self._end.recv(1 << 16)
        except TimeoutError:
            raise Silent from None
        except OSError:
            raise Closed from None
        if not chunk:
            raise Closed
        self._read += chunk
