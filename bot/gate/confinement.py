"""What a process that runs somebody's code may reach and take, and the command line that holds it to that.

Owns the walls: on Linux, namespaces of its own for network, processes and mounts, where everything but its own folders
is read-only, the places where tokens usually lie are empty, and no capability is left to undo it; and limits on what it
takes. Starts nothing but the trial of whether this machine allows it.
"""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

GIB = 1024**3
_NAMESPACES = ("unshare", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child")
_NO_CAPABILITIES = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--")
_FEWEST_PIDS = 301
"""The kernel keeps the first 300 to itself."""
SECRETS = (
    *(".aws", ".azure", ".docker", ".gnupg", ".huggingface", ".kube", ".ssh", ".git-credentials", ".netrc", ".npmrc"),
    *(".pypirc", ".cache/huggingface/token", ".config/gcloud", ".config/gh", ".config/git", ".config/hub"),
)
"""Where tools keep tokens and keys, below a home folder."""
_SOCKETS = ("/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock")
"""Whoever can talk to one of these is root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """The bounds of one suite process. `memory`, `file` and `disk` are bytes; an `image` runs it in a container.

    `disk` bounds all files together that it adds, four times `file` where nothing is said, and `entries` their number.
    """

    network: bool = False
    memory: int | None = None
    file: int = 4 * GIB
    disk: int | None = None
    entries: int = 500_000
    processes: int = 2048
    image: str | None = None
    runtime: str = "docker"

    @property
    def disk_size(self) -> int:
        """Bytes that it may add to its folders."""
        return 4 * self.file if self.disk is None else self.disk


DEFAULT = Confinement()
"""The bounds where nothing is configured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One suite process: its command, where it stands, and the folders it needs.

    It can write to the `writable` folders alone. `readable` are those that it needs besides; on this machine it can
    read what its user can, save where tokens usually lie.
    """

    command: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    readable: Sequence[Path] = ()
    writable: Sequence[Path] = ()
    device: str = "auto"


def confined(launch: Launch, confinement: Confinement) -> list[str]:
    """Build the command line of a process inside the walls that this machine allows.

    Where it allows none, what is left are the environment, which is the caller's, and the limits.
    """
    limited = [*_limits(confinement), *launch.command]
    if not can_isolate():
        return limited
    namespaces = [*_NAMESPACES, *(() if confinement.network else ("--net",)), "--"]
    script = "\n".join(_script(confinement, launch.directory, launch.writable))
    return [*namespaces, "sh", "-c", script, "sh", *_NO_CAPABILITIES, *limited]


@cache
def can_isolate() -> bool:
    """Whether this machine lets a process have its own network, processes and mounts (Linux user namespaces)."""
    script = "\n".join(_script(DEFAULT, Path("/"), ()))
    trial = [*_NAMESPACES, "--net", "--", "sh", "-c", script, "sh", *_NO_CAPABILITIES, "true"]
    try:
        return subprocess.run(trial, capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _limits(confinement: Confinement) -> Iterator[str]:
    """Yield the words that set limits on the process and all it starts. A core file of a torch process is gigabytes."""
    if shutil.which("prlimit") is None:
        return
    yield from ("prlimit", "--core=0", f"--fsize={confinement.file}", f"--nproc={confinement.processes}")
    if confinement.memory is not None:
        yield f"--as={confinement.memory}"
    yield "--"


def _script(confinement: Confinement, directory: Path, writable: Sequence[Path]) -> Iterator[str]:
    """Yield the shell that the first process of the tree runs before the command, which it gets as its arguments.

    A shell stays in front, as the first process is deaf to most signals and an abort would look like another end. It
    stops at a wall that cannot be put up.
    """
    yield "set -e"
    own = [shlex.quote(str(path.resolve())) for path in writable]
    yield from (f"mount --bind {path} {path}" for path in own)
    kept = "|".join(["/proc", "/proc/*", "/dev", "/dev/*", *own])
    yield "while read -r _ where _ options _; do"
    yield f'  case "$where" in {kept}) ;; *) mount -o "remount,bind,$options,ro" "$where" ;; esac'
    yield "done < /proc/self/mounts"
    yield f"[ ! -d /dev/shm ] || mount -t tmpfs -o size={confinement.file} none /dev/shm"
    yield 'for disk in /dev/*; do [ ! -b "$disk" ] || mount --bind /dev/null "$disk"; done'
    yield from (f"mount --bind /dev/null {shlex.quote(path)}" for path in _existing(files=True))
    yield from (f"mount -t tmpfs -o size=4k,mode=755 none {shlex.quote(path)}" for path in _existing(files=False))
    if has_own_pid_limit():
        yield f"echo {max(confinement.processes, _FEWEST_PIDS)} > /proc/sys/kernel/pid_max"
    yield "mount --bind -o ro /proc/sys /proc/sys"
    # The folder this process was started in may lie under a mount made since.
    yield f"cd {shlex.quote(str(directory.resolve()))}"
    yield "set +e"
    yield '"$@"'
    yield "exit $?"


def _existing(*, files: bool) -> list[str]:
    """Return what is there of the places that hold secrets, each once: files and sockets, or folders."""
    homes = {Path.home(), Path(pwd.getpwuid(os.getuid()).pw_dir)}
    named = [*(home / name for home in homes for name in SECRETS), *map(Path, _SOCKETS)]
    there = {path.resolve() for path in named if path.exists()}
    return sorted(str(path) for path in there if path.is_dir() is not files)


def has_own_pid_limit() -> bool:
    """Whether a process tree's pid_max is its own (Linux 6.14); before, this would set the whole machine's."""
    try:
        major, minor = (int(number) for number in os.uname().release.split(".")[:2])
    except ValueError:
        return False
    return (major, minor) >= (6, 14)
