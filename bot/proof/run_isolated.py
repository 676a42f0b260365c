"""Starts one suite process, isolated on this machine or in a container, and holds it until its gate opens.

Nothing of the process or the container is left when a call returns.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from bot.models import Isolation
from bot.proof import container
from bot.proof.disk_usage import DiskWatch, Usage
from bot.proof.isolated_command import DEFAULT, IsolationSettings, Launch, isolated_command, isolation_kind
from bot.proof.process import ProcessResult, StopConditions, run_watched


def interpreter(isolation: IsolationSettings) -> str:
    """Return the Python that suites run with: the image's in a container, else the configured one."""
    return container.PYTHON if isolation.image else isolation.python


class StartGate:
    """Says when a run may begin its cases; its process may start before. Without a `file` the gate is open at once.

    The suite waits until the `file` exists. Its time counts from `opened_at`, in seconds of the monotonic clock.
    `process_started` is set once the run's process is up, `process_ended` once it is gone.
    """

    def __init__(self, file: Path | None = None) -> None:
        """Make a gate: closed if there is a file for it, else open."""
        self.file, self.opened_at = file, time.monotonic()
        self.process_started, self.process_ended = threading.Event(), threading.Event()
        self._opened: Future[None] = Future()
        if file is None:
            self.open()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)

    @property
    def folder(self) -> tuple[Path, ...]:
        """The folder that the run has to read, to see the file."""
        return (self.file.parent,) if self.file else ()

    def is_open(self) -> bool:
        """Whether it was opened."""
        return self._opened.done()

    def open(self) -> None:
        """Let the run begin, once. Its time counts even if the file cannot be written: else the run would never end."""
        self.opened_at = time.monotonic()
        try:
            if self.file is not None:
                self.file.touch()
        finally:
            self._opened.set_result(None)

    def when_open(self, call: Callable[[], object]) -> None:
        """Call it when the gate opens, in the thread that opens it; at once if it is open."""
        self._opened.add_done_callback(lambda _: call())


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a proof sets for one of its two runs: isolation, start gate, and `stop`, which ends both runs.

    Compiled kernels are kept in `kernels`; with None they are dropped after the run. The run can read the `readable`
    folders besides its own. The reports are kept in the folder `keep`.
    """

    isolation: IsolationSettings = DEFAULT
    kernels: Path | None = None
    readable: tuple[Path, ...] = ()
    keep: Path | None = None
    gate: StartGate = field(default_factory=StartGate)
    stop: threading.Event = field(default_factory=threading.Event)


def run_isolated(launch: Launch, options: RunOptions, *, timeout: float, watch: Callable[[str], None]) -> ProcessResult:
    """Run until it ends, its time in seconds is over, or `stop` is set; nothing of it is left then.

    Raises:
        SuiteError: this machine allows no walls and the bot holds a token.
        RunsEnded: the bot is ending.
    """
    isolation = options.isolation
    kind = isolation_kind(isolation)
    disk = DiskWatch(launch.writable, Usage(isolation.disk_size, isolation.entries))
    conditions = StopConditions(
        timeout=timeout,
        time_counts=options.gate.is_open,
        on_start=options.gate.process_started.set,
        stop=options.stop,
        disk=disk,
    )
    follow = partial(run_watched, directory=launch.directory, watch=watch, conditions=conditions)
    try:
        with _ended_with_the_bot(options.stop):
            if isolation.image is None:
                command = isolated_command(launch, isolation, kind)
                return replace(follow(command, environment=launch.environment), isolation=kind)
            return replace(_run_contained(launch, isolation, follow), isolation=kind)
    finally:
        options.gate.process_ended.set()


def _run_contained(launch: Launch, isolation: IsolationSettings, follow: Callable[..., ProcessResult]) -> ProcessResult:
    name = f"backport-{uuid.uuid4().hex[:16]}"
    client = container.client_environment()
    removal = container.removal_command(name, isolation)
    run = replace(launch, command=container.container_command(launch, isolation, name))
    try:
        return follow(isolated_command(run, isolation, Isolation.CONTAINER, farewell=removal), environment=client)
    finally:
        # If the client was killed, its container still runs.
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(removal, env=client, capture_output=True, timeout=60, check=False)


# --- the end of the bot -----------------------------------------------------------------------------------------------


class RunsEnded(BaseException):
    """A run was ended because the bot is ending. It says nothing about the candidate.

    It is no Exception, because a proof that was ended must not be published as inconclusive.
    """


_ending = threading.Event()
_stop_events: dict[object, threading.Event] = {}
"""What stops each run; changed and read in single steps, as a signal handler may come between any two."""


def end_runs() -> None:
    """End every run of this process, and let no further begin; a signal handler may call it."""
    _ending.set()
    for stop in tuple(_stop_events.values()):
        stop.set()


@contextlib.contextmanager
def _ended_with_the_bot(stop: threading.Event) -> Iterator[None]:
    run = object()  # the two runs of a proof share what stops them
    _stop_events[run] = stop
    try:
        if _ending.is_set():
            stop.set()
        yield
    finally:
        del _stop_events[run]
        if _ending.is_set():
            raise RunsEnded
