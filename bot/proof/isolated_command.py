"""Bounds a process that runs untrusted code, and builds the command line that enforces the bounds.

This module chooses the isolation and the limits; `bot.isolation` applies them. It starts one process only: a trial
that shows whether this machine allows the isolation.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.environment import credentials
from bot.errors import SuiteError
from bot.isolation.launch_order import Order, Plan, to_text
from bot.isolation.visible_paths import plan_root
from bot.models import Isolation

GIB = 1024**3
_FEWEST_PIDS = 301
"""The kernel keeps the first 300 to itself."""
# The interpreter starts without site-packages and without PYTHONPATH (-I -S), so the text adds the path itself.
_LAUNCHER = (
    f"import sys; sys.path.append({str(Path(__file__).parents[2])!r}); from bot.isolation.launcher import main; "
)
_LAUNCHER += "main(sys.argv[1], sys.argv[2:])"
_TRIAL_SECONDS = 60.0
"""A loaded machine takes seconds to start a process, and a trial that is given up refuses a proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolationSettings:
    """The bounds of one suite process. `memory`, `file`, `disk` and `shared_memory` are bytes.

    An `image` runs it in a container; `image_digest` names it for the record. `disk` bounds all files together that it
    adds, four times `file` by default, and `entries` their number. `readable` are further paths of this machine that it
    can read, and `volumes` such paths with their paths in a container. `environment` are further variables. `python`
    is the interpreter of suites that run without an image. `without_isolation` lets it run without isolation beside a
    token, if this machine allows none.
    """

    network: bool = False
    memory: int | None = None
    file: int = 4 * GIB
    disk: int | None = None
    entries: int = 500_000
    processes: int = 2048
    shared_memory: int | None = None
    image: str | None = None
    image_digest: str = ""
    runtime: str = "docker"
    container_options: tuple[str, ...] = ()
    python: str = sys.executable
    readable: tuple[Path, ...] = ()
    volumes: tuple[tuple[Path, Path], ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    without_isolation: bool = False

    @property
    def shared_memory_size(self) -> int:
        """Bytes of /dev/shm."""
        return self.file if self.shared_memory is None else self.shared_memory

    @property
    def disk_size(self) -> int:
        """Bytes that it may add to its folders."""
        return 4 * self.file if self.disk is None else self.disk


DEFAULT = IsolationSettings()
"""The bounds where nothing is configured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One suite process: its command, its working directory, and the folders it needs.

    It can write to the `writable` folders alone. `readable` are further folders that it needs. It sees no other
    folders but the system's. With the `device` cpu it sees no GPU. `programs` are those that it starts by name besides
    the first word of its command.
    """

    command: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    readable: Sequence[Path] = ()
    writable: Sequence[Path] = ()
    device: str = "auto"
    programs: Sequence[str] = ()


def isolated_command(
    launch: Launch, isolation: IsolationSettings, kind: Isolation, *, farewell: Sequence[str] = ()
) -> list[str]:
    """Build the command line of a process that ends with this one, and does not start without the isolation it needs.

    Without any, what is left are the environment, which is the caller's, and the limits. A container's client gets
    neither walls nor limits; `farewell` is the command that ends what it leaves behind, should the bot end before it.
    """
    order = Order(bot=os.getpid(), directory=str(launch.directory.resolve()), farewell=tuple(farewell))
    if kind is not Isolation.CONTAINER:
        order = order._replace(limits=tuple(_limits(isolation)), network=isolation.network)
    if kind is Isolation.NAMESPACES:
        order = order._replace(plan=_plan(launch, isolation))
    return [sys.executable, "-I", "-S", "-c", _LAUNCHER, to_text(order), *launch.command]


def _plan(launch: Launch, isolation: IsolationSettings) -> Plan:
    volumes = (source for source, _ in isolation.volumes)
    return plan_root(
        readable=(launch.directory, *launch.readable, *isolation.readable, *volumes),
        writable=launch.writable,
        programs=(launch.command[0], *launch.programs),
        environment=launch.environment,
        gpu=launch.device != "cpu",
        shared_memory=isolation.shared_memory_size,
        pids=max(isolation.processes, _FEWEST_PIDS) if has_own_pid_limit() else 0,
    )


def _limits(isolation: IsolationSettings) -> Iterator[tuple[str, int]]:
    """Yield the limits of the process and all it starts. A core file of a torch process is gigabytes."""
    yield from (("RLIMIT_CORE", 0), ("RLIMIT_FSIZE", isolation.file), ("RLIMIT_NPROC", isolation.processes))
    if isolation.memory is not None:
        yield "RLIMIT_AS", isolation.memory


# --- what stands ------------------------------------------------------------------------------------------------------


def isolation_kind(isolation: IsolationSettings) -> Isolation:
    """Choose the strongest isolation that this machine allows.

    Raises:
        SuiteError: there is none, the bot holds a token, and the configuration does not accept that explicitly.
    """
    if isolation.image is not None:
        return Isolation.CONTAINER
    reason = obstacle()
    if not reason:
        return Isolation.NAMESPACES
    if isolation.without_isolation or not credentials.holds_secret():
        return Isolation.NONE
    raise SuiteError(
        f"This machine cannot isolate a suite ({reason}), and the bot holds a token that the suite could read. So "
        "nothing was run and nothing is proven.",
        hint="Allow user namespaces (docs/ci.md, What a suite can reach), name an image in `prove.containers`, set "
        "`prove.runner: github-actions`, or accept the risk with `prove.without_isolation: allow` in backport.yaml.",
    )


_trial = threading.Lock()
_successes: list[bool] = []
"""Not empty once walls stood: from then on they do, and a process for which they do not is not started."""
_TRIAL = Launch(command=[sys.executable, "-I", "-S", "-c", ""], directory=Path("/"), environment={})


def obstacle() -> str:
    """Say why this machine allows no isolation; empty if it does. A failed trial is repeated the next time."""
    if sys.platform != "linux":
        return "it takes Linux"
    with _trial:
        reason = "" if _successes else _try_walls()
        if not reason:
            _successes.append(True)
        return reason


def _try_walls() -> str:
    command = isolated_command(_TRIAL, DEFAULT, Isolation.NAMESPACES)
    try:
        trial = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_TRIAL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"a trial failed: {error}"
    return "" if trial.returncode == 0 else trial.stderr.strip()[-300:] or f"a trial ended with {trial.returncode}"


def has_own_pid_limit() -> bool:
    """Whether a process tree's pid_max is its own (Linux 6.14); before, this would set the whole machine's."""
    try:
        major, minor = (int(number) for number in os.uname().release.split(".")[:2])
    except ValueError:
        return False
    return (major, minor) >= (6, 14)
