"""Builds a new root: it has only the paths that a plan names, and only the plan's writable folders can be written to.

It changes the mount namespace of this process, so the process needs a mount namespace of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from bot.isolation.launch_order import Plan
from bot.isolation.system_calls import (
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    change_root,
    mount,
)

_BASE = "/dev"
"""The folder in which the new root is built: any folder that exists and is not a source."""
_BLANK, _EMPTY = "/.blank", "/.empty"
"""An empty file and an empty folder, which are mounted over what must not be read."""
_TERMINALS, _SHARED_MEMORY = "/dev/pts", "/dev/shm"  # noqa: S108 - in the new root
_DEVICE_LINKS = {
    "ptmx": "pts/ptmx",
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
_UNREADABLE = (
    *("kcore", "kmsg", "keys", "key-users", "kallsyms", "sched_debug", "timer_list", "latency_stats", "vmallocinfo"),
    *("kpagecount", "kpageflags", "kpagecgroup", "slabinfo", "sysrq-trigger", "acpi", "scsi"),
)
"""Files of /proc that are about the whole machine, and that no suite needs."""
_OPTIONS = {"ro": MS_RDONLY, "nosuid": MS_NOSUID, "nodev": MS_NODEV, "noexec": MS_NOEXEC}


def enter_root(plan: Plan) -> None:
    """Build the root and enter it. Raises OSError if something cannot be mounted."""
    mount("", "/", flags=MS_REC | MS_PRIVATE)
    # The sources are opened before the new root covers the folder in which it is built.
    sources = [(path, os.open(path, os.O_PATH | os.O_NOFOLLOW)) for path in _bind_order(plan)]
    mount("root", _BASE, "tmpfs", MS_NOSUID, "size=4m,mode=755")
    for folder in ("/proc", _TERMINALS, _SHARED_MEMORY, _EMPTY):
        os.makedirs(_BASE + folder)
    os.close(os.open(_BASE + _BLANK, os.O_CREAT | os.O_WRONLY, 0))
    _mount_devices(plan)
    _mount_processes(plan)
    for name, destination in plan.links:
        os.makedirs(os.path.dirname(_BASE + name), exist_ok=True)
        os.symlink(destination, _BASE + name)
    for path, source in sources:
        _bind(f"/proc/self/fd/{source}", path)
        os.close(source)
    for folder in ("/tmp", "/run", "/var/tmp", *plan.folders):  # noqa: S108 - in the new root
        if not os.path.lexists(_BASE + folder):
            os.makedirs(_BASE + folder)
    for path in plan.masked:
        _hide(path)
    change_root(_BASE)
    _make_read_only(plan)


def _bind_order(plan: Plan) -> list[str]:
    """List the paths to bind, a folder before its content, without those that another one brings along."""
    paths: list[str] = []
    for path in sorted({*plan.visible, *plan.writable, *plan.devices}, key=lambda path: path.count("/")):
        inside = [folder for folder in paths if _within(path, folder)]
        if not inside or (path in plan.writable and not any(folder in plan.writable for folder in inside)):
            paths.append(path)
    return paths


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _bind(source: str, path: str) -> None:
    place = _BASE + path
    if os.path.isdir(source):
        os.makedirs(place, exist_ok=True)
    elif not os.path.lexists(place):
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o644))
    mount(source, place, flags=MS_BIND | MS_REC)


def _mount_devices(plan: Plan) -> None:
    """Mount new terminals and new shared memory. A process inside sees none of the machine's terminals."""
    mount("devpts", f"{_BASE}{_TERMINALS}", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620")
    mount("shm", f"{_BASE}{_SHARED_MEMORY}", "tmpfs", MS_NOSUID | MS_NODEV, f"mode=1777,size={plan.shared_memory}")
    for name, destination in _DEVICE_LINKS.items():
        os.symlink(destination, f"{_BASE}/dev/{name}")


def _mount_processes(plan: Plan) -> None:
    mount("proc", f"{_BASE}/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    if plan.pids:
        _set("kernel/pid_max", plan.pids)
    _set(
        "user/max_user_namespaces", 0
    )  # in a new one a process has all capabilities, and can attack much of the kernel
    for name in _UNREADABLE:
        _hide(f"/proc/{name}")
    for path in _shared_settings():
        mount(path, path, flags=MS_BIND | MS_REC)  # only a mount can be made read-only


def _shared_settings() -> Iterator[str]:
    """Yield the entries of /proc that are not about one process and can be written to.

    The entries of a process stay writable: CUDA names its threads in /proc/self/task/*/comm, and fails without that.
    """
    for entry in os.scandir(f"{_BASE}/proc"):
        of_a_process = entry.name.isdecimal() or entry.is_symlink()
        if not of_a_process and (entry.is_dir() or entry.stat().st_mode & 0o222):
            yield entry.path


def _set(name: str, value: int) -> None:
    with open(f"{_BASE}/proc/sys/{name}", "w", encoding="ascii") as setting:
        setting.write(f"{value}\n")


def _hide(path: str) -> None:
    place = _BASE + path
    if os.path.isdir(place):
        mount(_BASE + _EMPTY, place, flags=MS_BIND)
    elif os.path.lexists(place):
        mount(_BASE + _BLANK, place, flags=MS_BIND)


def _make_read_only(plan: Plan) -> None:
    """Make each mount read-only, except for the writable folders and the new file systems. Other flags stay."""
    flags: dict[str, int] = {}
    for place, options in _mounts():
        is_writable = place in ("/proc", _TERMINALS, _SHARED_MEMORY) or any(
            _within(place, folder) for folder in plan.writable
        )
        current = sum(_OPTIONS.get(option, 0) for option in options) | (0 if is_writable else MS_RDONLY)
        flags[place] = flags.get(place, MS_NOSUID | (0 if _within(place, "/dev") else MS_NODEV)) | current
    for place, bits in flags.items():
        mount("", place, flags=MS_REMOUNT | MS_BIND | bits)


def _mounts() -> Iterator[tuple[str, list[str]]]:
    """Yield each mount point with its options: proc_pid_mountinfo(5)."""
    with open("/proc/self/mountinfo", "rb") as lines:
        for line in lines:
            words = line.split(b" ")
            place = words[4].decode("unicode_escape").encode("latin-1")  # a blank is written \\040
            yield os.fsdecode(place), words[5].decode().split(",")
