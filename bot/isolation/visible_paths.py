"""Selects the few paths of this machine that an isolated process may see.

A path that is not selected does not exist inside. Selected are the system's programs and libraries, the interpreter
with its packages, the paths that the caller names and, unless the run is for the CPU only, the GPUs with their
libraries. Of a home, only an interpreter in it is visible.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from glob import escape, glob
from pathlib import Path

from bot.isolation.launch_order import Plan

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
_SETTINGS = (
    *("passwd", "group", "nsswitch.conf", "hosts", "host.conf", "resolv.conf", "gai.conf", "protocols", "services"),
    *(
        "ld.so.cache",
        "ld.so.conf",
        "ld.so.conf.d",
        "alternatives",
        "localtime",
        "timezone",
        "locale.conf",
        "default/locale",
    ),
    *(
        "os-release",
        "debian_version",
        "redhat-release",
        "lsb-release",
        "mime.types",
        "magic",
        "terminfo",
        "inputrc",
        "fonts",
    ),
    *("ssl/certs", "ssl/openssl.cnf", "ssl/cert.pem", "ca-certificates", "crypto-policies", "pki/tls", "pki/ca-trust"),
    *("OpenCL", "vulkan", "amd", "nvidia"),
)
"""Below /etc. The rest is not visible: it has the host's keys, password hashes and programs' tokens."""
_KERNEL = tuple(f"/sys/{name}" for name in ("bus", "class", "dev", "devices", "module"))
_DEVICES = tuple(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty"))
_GPU_DEVICES = ("/dev/kfd", "/dev/dri", "/dev/nvidia*", "/dev/dxg")
_GPU_LIBRARIES = ("/opt/rocm*", "/opt/amdgpu*", "/opt/nvidia")
_GPU_VARIABLES = ("CUDA_HOME", "ROCM_HOME", "ROCM_PATH")
_PREFIX = (
    *("bin", "sbin", "lib", "lib32", "lib64", "libexec", "include", "share", "pyvenv.cfg", "ssl", "nvvm", "targets"),
    *("x86_64-*", "aarch64-*"),
)
"""What a program needs of the folder that it was installed into. That folder may also be a home or a project."""
_SECRETS = ("pip.conf", ".condarc", "condarc", ".netrc")
"""Files in such a folder with passwords of package indexes."""
_LINKS = 40
"""The number of links that Linux follows."""


class View:
    """The paths collected for a plan, and the links that lead to them."""

    def __init__(self) -> None:
        """Begin with no path."""
        self.visible: set[str] = set()
        self.links: dict[str, str] = {}

    def show(self, path: str) -> None:
        """Make a path visible under its name and its real name. A missing path and `/` are ignored."""
        if os.path.exists(path):
            self.visible |= {self._real(path)} - {"/"}

    def _real(self, path: str) -> str:
        parts, current = list(Path(os.path.abspath(path)).parts[1:]), "/"
        for _ in range(_LINKS * 100):
            if not parts:
                break
            name = parts.pop(0)
            step = os.path.normpath(os.path.join(current, name))
            if name != ".." and os.path.islink(step):
                self.links[step] = destination = os.readlink(step)
                parts[:0] = [part for part in destination.split("/") if part not in ("", ".")]
                current = "/" if destination.startswith("/") else current
            else:
                current = step
        return current


def plan_root(
    *,
    readable: Iterable[Path],
    writable: Sequence[Path],
    programs: Sequence[str],
    environment: Mapping[str, str],
    gpu: bool,
    shared_memory: int,
    pids: int,
) -> Plan:
    """Collect the paths that one process may see. It starts the `programs`."""
    view = View()
    trees = tuple(readable)
    for path in (*_SYSTEM, *_KERNEL, *(f"/etc/{name}" for name in _SETTINGS), *map(str, (*trees, *writable))):
        view.show(path)
    libraries = _gpu_libraries(environment) if gpu else ()
    for path in (*_interpreter(), *_programs(environment, programs), *libraries):
        if not _holds_a_home(path):
            view.show(path)
    devices = [*_DEVICES, *(path for pattern in _GPU_DEVICES if gpu for path in glob(pattern))]
    real = tuple(os.path.realpath(path) for path in writable)
    return Plan(
        visible=tuple(sorted(view.visible - set(real))),
        writable=real,
        devices=tuple(os.path.realpath(path) for path in devices if os.path.exists(path)),
        folders=tuple(str(home) for home in _homes()),
        masked=tuple(_masked_paths(trees)),
        links=tuple(view.links.items()),
        shared_memory=shared_memory,
        pids=pids,
    )


def _homes() -> set[Path]:
    """Return the homes of our user: that of the environment and, if there is an entry, that of /etc/passwd."""
    homes = {os.environ.get("HOME", "")}
    with contextlib.suppress(KeyError):
        homes.add(pwd.getpwuid(os.getuid()).pw_dir)
    return {Path(os.path.realpath(home)) for home in homes if home.startswith("/") and home != "/"}


@cache
def _interpreter() -> tuple[str, ...]:
    """Return the folders of the interpreter and of the packages that it finds, except for the bot's own."""
    prefixes = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}
    prefixes.add(str(Path(sys.executable).resolve().parent.parent))
    bot = str(Path(__file__).parents[2])
    paths = [path for path in _search_path() if path and path != bot]
    return (*(path for prefix in prefixes for path in _installation(prefix)), *paths)


def _search_path() -> list[str]:
    """Ask the interpreter for its import path without our PYTHONPATH, including editable packages in other folders."""
    answer = subprocess.run(
        [sys.executable, "-I", "-c", _ASK], capture_output=True, text=True, errors="surrogateescape", check=False
    )
    return answer.stdout.split("\0")


_ASK = """
import os, sys
paths = list(sys.path)
for finder in sys.meta_path:  # setuptools' for packages that are installed editable
    mapping = getattr(sys.modules.get(getattr(finder, "__module__", "")), "MAPPING", {})
    paths += [os.path.dirname(path) if os.path.isfile(path) else path for path in mapping.values()]
sys.stdout.write("\\0".join(path for path in paths if os.path.exists(path)))
"""


def _installation(prefix: str) -> Iterator[str]:
    """Yield the files of an installation. In a home `share` is left out: ~/.local/share also has key rings."""
    for name in _PREFIX:
        if name != "share" or not _is_in_home(prefix):
            yield from glob(f"{escape(prefix)}/{name}")


def _is_in_home(path: str) -> bool:
    return any(Path(path).resolve().is_relative_to(home) for home in _homes())


def _holds_a_home(path: str) -> bool:
    return any(home.is_relative_to(Path(path).resolve()) for home in _homes())


def _programs(environment: Mapping[str, str], programs: Iterable[str]) -> Iterator[str]:
    """Yield the folders of programs that are found by name. Inside a home, only those of the started programs."""
    for folder in environment.get("PATH", "").split(os.pathsep):
        if folder.startswith("/") and not _is_in_home(folder):
            prefix, _, name = folder.rstrip("/").rpartition("/")
            yield from _installation(prefix) if name in ("bin", "sbin") and prefix else [folder]
    for program in programs:
        place = shutil.which(program, path=environment.get("PATH"))
        if place is not None and _is_in_home(place):
            yield place
            yield from (f"{Path(place).resolve().parent.parent}/{name}" for name in ("bin", "lib", "lib64", "libexec"))


def _gpu_libraries(environment: Mapping[str, str]) -> Iterator[str]:
    yield from (path for pattern in _GPU_LIBRARIES for path in glob(pattern))
    yield from (environment[name] for name in _GPU_VARIABLES if environment.get(name, "/") != "/")
    yield from (folder for folder in environment.get("LD_LIBRARY_PATH", "").split(os.pathsep) if len(folder) > 1)
    for file in glob("/etc/ld.so.conf.d/*.conf"):
        lines = Path(file).read_text(encoding="utf-8", errors="replace").splitlines()
        yield from (line.strip() for line in lines if line.startswith("/") and len(line) > 1)


def _masked_paths(trees: Iterable[Path]) -> Iterator[str]:
    """Yield the visible paths that a process must not read: passwords of package indexes, and a checkout's .git."""
    for prefix in {sys.prefix, sys.base_prefix}:
        yield from (path for name in _SECRETS if os.path.exists(path := os.path.realpath(f"{prefix}/{name}")))
    yield from (path for tree in trees if os.path.exists(path := os.path.realpath(tree / ".git")))
