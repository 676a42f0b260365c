"""Starts, watches and ends one process group that runs untrusted code.

When a call returns, nothing of the group is left.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.models import Isolation
from bot.proof.disk_usage import DiskWatch
from bot.proof.process_output import Output

NOT_FOUND = 127
"""What a shell returns for a command that is not there."""
NOT_STARTED = (125, 126, NOT_FOUND)
"""The command, or the container for it, could not be started."""
STEP = 0.2
"""Seconds between two looks at whether to stop."""
GRACE = 5.0
"""Seconds that the launcher gets to end its processes."""
READ_ON = 5.0
"""Seconds that output is still read after the end: something that left the group may hold the pipe open for ever."""

_NOT_NEEDED = "it was not needed any more"


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """How a process ended: `code` is negative for a signal; `tail` is the end of what it printed.

    `excess` says which limit of what it may write was exceeded, whether or not that ended it, or that its result was
    not needed any more. `isolation` is what the caller gave it.
    """

    code: int
    tail: tuple[str, ...]
    timed_out: bool
    excess: str = ""
    isolation: Isolation | None = None

    @property
    def signal_name(self) -> str:
        """The signal that ended it, or nothing. A wrapper's 128 + n counts as signal n."""
        number = -self.code if self.code < 0 else self.code - 128
        with contextlib.suppress(ValueError):
            return signal.Signals(number).name
        return ""

    def seen_from(self, folder: Path) -> ProcessResult:
        """Return it with the paths below a folder as they are seen from there: others may read what it printed."""
        return replace(self, tail=tuple(line.replace(f"{folder.resolve()}/", "") for line in self.tail))


@dataclass(frozen=True, slots=True, kw_only=True)
class StopConditions:
    """What ends a process from outside: its time, `stop`, or `disk` once it wrote too much.

    The `timeout` is in seconds and begins when `time_counts` is true. `on_start` is called when the process is started,
    and also if it cannot be.
    """

    timeout: float
    time_counts: Callable[[], bool]
    on_start: Callable[[], object]
    stop: threading.Event
    disk: DiskWatch


def run_watched(
    command: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    watch: Callable[[str], None],
    conditions: StopConditions,
) -> ProcessResult:
    """Run to the end, its own or one from outside."""
    try:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=dict(environment),
            # A program that asks for input gets the end of the file instead of waiting until its time is over.
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            # A session of its own is a process group too, which can be ended as a whole.
            start_new_session=True,
        )
    except OSError as error:
        return ProcessResult(NOT_FOUND, (f"{command[0]} cannot be started: {error.strerror}",), timed_out=False)
    finally:
        conditions.on_start()
    output = Output(_take_output(process), watch)
    try:
        timed_out, excess = _wait_for_end(process, conditions)
    finally:
        _end(process)
        code = process.wait()
        tail = output.tail(READ_ON)
    return ProcessResult(code, tail, timed_out, excess or conditions.disk.count())


def _wait_for_end(process: subprocess.Popen[bytes], conditions: StopConditions) -> tuple[bool, str]:
    """Wait for the process's end, or until it is to be ended; say whether its time was up, and what it exceeded."""
    deadline = None
    while not conditions.stop.is_set():
        if deadline is None and conditions.time_counts():
            deadline = time.monotonic() + conditions.timeout
        if deadline is not None and time.monotonic() >= deadline:
            return True, ""
        excess = conditions.disk.glance()
        if excess:
            return False, excess
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STEP)
            return False, ""
    return False, _NOT_NEEDED


def _take_output(process: subprocess.Popen[bytes]) -> int:
    """Return a descriptor of the process's output that is the caller's to close."""
    assert process.stdout is not None  # noqa: S101 -- for the type checker: it was asked for
    with process.stdout as stream:
        return os.dup(stream.fileno())


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let the launcher end what it started, wherever that went, and then end what is left of the group."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
