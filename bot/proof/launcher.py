"""Where one suite process runs: on this machine inside its walls, or in a container; and when its turn is.

Owns the choice between the two, and that nothing of either is left when a call returns.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
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
from bot.proof.isolation import DEFAULT, Confinement, Launch, confined, isolation_for
from bot.proof.process import Ends, Finished, run_watched

_CLIENT = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST", "XDG_RUNTIME_DIR")
"""What a container runtime's client needs of our environment; the container itself gets none of it."""


def interpreter(confinement: Confinement) -> str:
    """Return the Python that suites run with: our own here, the image's in a container."""
    return container.PYTHON if confinement.image else sys.executable


class Turn:
    """The turn of a run, which may have started up before it. Without a `sign` it is the run's turn at once.

    The suite waits for the file `sign`. Only from `since` on, in seconds of the monotonic clock, does its time count.
    `awaited` is set once the run's process is up.
    """

    def __init__(self, sign: Path | None = None) -> None:
        """Make a turn that is yet to be given, if there is a sign for it."""
        self.sign, self.since = sign, time.monotonic()
        self.awaited = threading.Event()
        self._given: Future[None] = Future()
        if sign is None:
            self.give()
        else:
            sign.parent.mkdir(parents=True, exist_ok=True)

    @property
    def folder(self) -> tuple[Path, ...]:
        """What the run has to be able to read, to see its sign."""
        return (self.sign.parent,) if self.sign else ()

    def begun(self) -> bool:
        """Whether it was given."""
        return self._given.done()

    def give(self) -> None:
        """Let the run begin, once; where its sign cannot be written its time counts all the same, or it never ended."""
        self.since = time.monotonic()
        try:
            if self.sign is not None:
                self.sign.touch()
        finally:
            self._given.set_result(None)

    def then(self, call: Callable[[], object]) -> None:
        """Call it when the turn is given: in the thread that gives it, or here and at once if it was."""
        self._given.add_done_callback(lambda _: call())


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A proof's part in one of its runs: the bounds, its turn, and `stop`, which ends both runs when a thread sets it.

    Compiled kernels are kept in `kernels`, or for the run alone. It can read the `readable` folders besides its own.
    The reports are kept in the folder `keep`.
    """

    confinement: Confinement = DEFAULT
    kernels: Path | None = None
    readable: tuple[Path, ...] = ()
    keep: Path | None = None
    turn: Turn = field(default_factory=Turn)
    stop: threading.Event = field(default_factory=threading.Event)


def run_confined(launch: Launch, shared: Shared, *, timeout: float, watch: Callable[[str], None]) -> Finished:
    """Run to the end, the time limit in seconds, or until it is told to stop; nothing of it is left then.

    Raises:
        SuiteError: this machine allows no walls and the bot holds a token.
        RunsEnded: the bot is ending.
    """
    confinement = shared.confinement
    isolation = isolation_for(confinement)
    disk = DiskWatch(launch.writable, Usage(confinement.disk_size, confinement.entries))
    ends = Ends(timeout=timeout, begun=shared.turn.begun, up=shared.turn.awaited.set, stop=shared.stop, disk=disk)
    follow = partial(run_watched, directory=launch.directory, watch=watch, ends=ends)
    with _ended_with_the_bot(shared.stop):
        if confinement.image is None:
            command = confined(launch, confinement, isolation)
            return replace(follow(command, environment=launch.environment), isolation=isolation)
        return replace(_run_contained(launch, confinement, follow), isolation=isolation)


def _run_contained(launch: Launch, confinement: Confinement, follow: Callable[..., Finished]) -> Finished:
    name = f"backport-{uuid.uuid4().hex[:16]}"
    client = {variable: os.environ[variable] for variable in _CLIENT if variable in os.environ}
    ended = container.ending(name, confinement)
    run = replace(launch, command=container.contained(launch, confinement, name))
    try:
        return follow(confined(run, confinement, Isolation.CONTAINER, farewell=ended), environment=client)
    finally:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(ended, env=client, capture_output=True, timeout=60, check=False)


# --- the end of the bot -----------------------------------------------------------------------------------------------


class RunsEnded(BaseException):
    """A run was ended because the bot is ending: it says nothing of what was run, and nothing may be concluded of it.

    No Exception, as what comes to no verdict must not be published as one that came to nothing.
    """


_ending = threading.Event()
_running: dict[object, threading.Event] = {}
"""What stops each run; changed and read in single steps, as a signal handler may come between any two."""


def end_runs() -> None:
    """End every run of this process, and let no further begin; a signal handler may call it."""
    _ending.set()
    for stop in tuple(_running.values()):
        stop.set()


@contextlib.contextmanager
def _ended_with_the_bot(stop: threading.Event) -> Iterator[None]:
    run = object()  # the two runs of a proof share what stops them
    _running[run] = stop
    try:
        if _ending.is_set():
            stop.set()
        yield
    finally:
        del _running[run]
        if _ending.is_set():
            raise RunsEnded
