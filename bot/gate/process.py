"""One process group that runs somebody's code: started, watched line by line, and ended.

Owns the process from start to reaping; when a call returns, nothing of the group is left. Knows nothing of pytest.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

KEPT_LINES = 60
NOT_FOUND = 127
"""What a shell returns for a command that is not there."""
STEP = 0.2
"""Seconds between two looks at whether to stop."""
READ_ON = 5.0
"""Seconds that output is still read after the end: something that left the group may hold the pipe open for ever."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended: `code` is negative for a signal; `tail` is the end of what it printed."""

    code: int
    tail: tuple[str, ...]
    timed_out: bool

    @property
    def signal_name(self) -> str:
        """The signal that ended it, or nothing. A wrapper's 128 + n counts as signal n."""
        number = -self.code if self.code < 0 else self.code - 128
        with contextlib.suppress(ValueError):
            return signal.Signals(number).name
        return ""


def run_watched(
    command: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    timeout: float,
    watch: Callable[[str], None],
    stop: threading.Event | None = None,
) -> Finished:
    """Run to the end, the time limit in seconds, or until `stop` is set."""
    try:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        return Finished(NOT_FOUND, (f"{command[0]} cannot be started: {error.strerror}",), timed_out=False)
    tail: deque[str] = deque(maxlen=KEPT_LINES)
    reader = threading.Thread(target=_follow, args=(process, tail, watch), daemon=True)
    reader.start()
    try:
        timed_out = not _ends_within(process, timeout, stop or threading.Event())
    finally:
        _end_group(process.pid)
        code = process.wait()
        reader.join(READ_ON)
    return Finished(code, tuple(tail), timed_out)


def _ends_within(process: subprocess.Popen[str], timeout: float, stop: threading.Event) -> bool:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and not stop.is_set():
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STEP)
            return True
    return False


def _follow(process: subprocess.Popen[str], tail: deque[str], watch: Callable[[str], None]) -> None:
    if process.stdout is None:
        return
    with process.stdout as lines:
        for line in lines:
            tail.append(line.rstrip("\n"))
            watch(tail[-1])


def _end_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
