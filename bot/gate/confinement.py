"""What a process that runs somebody's code may reach and take, and the command line that holds it to that.

Owns the choice of walls and limits; `bot.isolation` puts them up. Starts nothing but the trial of whether this machine
allows them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bot import credentials
from bot.errors import SuiteError
from bot.isolation.order import Order, Plan, to_text
from bot.isolation.view import plan_root
from bot.model import Isolation

GIB = 1024**3
_FEWEST_PIDS = 301
"""The kernel keeps the first 300 to itself."""
_LAUNCHER = (
    f"import sys; sys.path.append({str(Path(__file__).parents[2])!r}); from bot.isolation.launcher import main; "
)
_LAUNCHER += "main(sys.argv[1], sys.argv[2:])"
_TRIAL_SECONDS = 60.0
"""A loaded machine takes seconds to start a process, and a trial that is given up refuses a proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """The bounds of one suite process. `memory`, `file` and `disk` are bytes; an `image` runs it in a container.

    `disk` bounds all files together that it adds, four times `file` where nothing is said, and `entries` their number.
    `readable` are paths of this machine that it sees besides its own. `without_isolation` lets it run without walls
    beside a token, where this machine allows none.
    """

    network: bool = False
    memory: int | None = None
    file: int = 4 * GIB
    disk: int | None = None
    entries: int = 500_000
    processes: int = 2048
    image: str | None = None
    runtime: str = "docker"
    readable: tuple[Path, ...] = ()
    without_isolation: bool = False

    @property
    def disk_size(self) -> int:
        """Bytes that it may add to its folders."""
        return 4 * self.file if self.disk is None else self.disk


DEFAULT = Confinement()
"""The bounds where nothing is configured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One suite process: its command, where it stands, and the folders it needs.

    It can write to the `writable` folders alone. `readable` are those that it needs besides: it sees no others but the
    system's. The `device` cpu keeps GPUs out of its sight.
    """

    command: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    readable: Sequence[Path] = ()
    writable: Sequence[Path] = ()
    device: str = "auto"


def confined(launch: Launch, confinement: Confinement, *, farewell: Sequence[str] = ()) -> list[str]:
    """Build the command line of a process inside the walls that this machine allows, which ends with this process.

    Where it allows none, what is left are the environment, which is the caller's, and the limits. In a container's
    client neither is ours to set; `farewell` is the command that ends what a client leaves behind, should the bot end
    before it does.
    """
    order = Order(bot=os.getpid(), directory=str(launch.directory.resolve()), farewell=tuple(farewell))
    if confinement.image is None:
        walls = _plan(launch, confinement) if can_isolate() else None
        order = order._replace(limits=tuple(_limits(confinement)), network=confinement.network, plan=walls)
    return [sys.executable, "-I", "-S", "-c", _LAUNCHER, to_text(order), *launch.command]


def _plan(launch: Launch, confinement: Confinement) -> Plan:
    return plan_root(
        readable=(launch.directory, *launch.readable, *confinement.readable),
        writable=launch.writable,
        program=launch.command[0],
        environment=launch.environment,
        gpu=launch.device != "cpu",
        shared_memory=confinement.file,
        pids=max(confinement.processes, _FEWEST_PIDS) if has_own_pid_limit() else 0,
    )


def _limits(confinement: Confinement) -> Iterator[tuple[str, int]]:
    """Yield the limits of the process and all it starts. A core file of a torch process is gigabytes."""
    yield from (("RLIMIT_CORE", 0), ("RLIMIT_FSIZE", confinement.file), ("RLIMIT_NPROC", confinement.processes))
    if confinement.memory is not None:
        yield "RLIMIT_AS", confinement.memory


# --- what stands ------------------------------------------------------------------------------------------------------


def isolation_of(confinement: Confinement) -> Isolation:
    """Say what stands between a process and this machine."""
    if confinement.image is not None:
        return Isolation.CONTAINER
    return Isolation.NAMESPACES if can_isolate() else Isolation.NONE


def refuse_bare_with_secrets(confinement: Confinement) -> None:
    """Let nobody's code run without walls beside a token, unless the configuration says so by name.

    Raises:
        SuiteError: nothing may be run on this machine.
    """
    if confinement.without_isolation or not credentials.held() or isolation_of(confinement) is not Isolation.NONE:
        return
    raise SuiteError(
        f"This machine cannot isolate a suite ({obstacle()}), and the bot holds a token that the suite could read. So "
        "nothing was run and nothing is proven.",
        hint="Allow user namespaces (docs/ci.md, What a suite can reach), name an image in `prove.containers`, set "
        "`prove.runner: github-actions`, or accept the risk with `prove.without_isolation: allow` in backport.yaml.",
    )


def can_isolate() -> bool:
    """Whether this machine lets a process have a root, processes and a network of its own (Linux user namespaces)."""
    return not obstacle()


_trial = threading.Lock()


def obstacle() -> str:
    """Say why this machine allows no walls; empty where it does. One that was out of time is tried again next time."""
    with _trial:
        try:
            return _try_walls()
        except subprocess.TimeoutExpired:
            return f"a trial did not end within {_TRIAL_SECONDS:g} s"


@cache
def _try_walls() -> str:
    if sys.platform != "linux":
        return "it takes Linux"
    order = Order(bot=os.getpid(), directory="/", plan=_plan(_TRIAL, DEFAULT))
    command = [sys.executable, "-I", "-S", "-c", _LAUNCHER, to_text(order), *_TRIAL.command]
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", timeout=_TRIAL_SECONDS, check=False
    )
    return "" if done.returncode == 0 else done.stderr.strip()[-300:] or f"a trial ended with {done.returncode}"


_TRIAL = Launch(command=[sys.executable, "-I", "-S", "-c", ""], directory=Path("/"), environment={})


def has_own_pid_limit() -> bool:
    """Whether a process tree's pid_max is its own (Linux 6.14); before, this would set the whole machine's."""
    try:
        major, minor = (int(number) for number in os.uname().release.split(".")[:2])
    except ValueError:
        return False
    return (major, minor) >= (6, 14)
