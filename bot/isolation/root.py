"""A new root of a mount namespace: empty but for the paths that a plan names, read-only but for its writable folders.

Changes the mount namespace of this process, so it needs one of its own.
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
"""Where the new root is put together: any folder that is there and is no source of ours will do."""
_BLANK, _EMPTY = "/.blank", "/.empty"
"""What hides a file, and a folder."""
_TERMINALS, _SHARED_MEMORY = "/dev/pts", "/dev/shm"  # noqa: S108 - of its own
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
"""Of /proc: what is about the whole machine and of no use to a suite."""
_OPTIONS = {"ro": MS_RDONLY, "nosuid": MS_NOSUID, "nodev": MS_NODEV, "noexec": MS_NOEXEC}


def enter_root(plan: Plan) -> None:
    """Put the root together and make it this process's; raises OSError for what cannot be mounted."""
    mount("", "/", flags=MS_REC | MS_PRIVATE)
    # Opened before the new root covers the folder that it is put together in.
    sources = [(path, os.open(path, os.O_PATH | os.O_NOFOLLOW)) for path in _in_order(plan)]
    mount("root", _BASE, "tmpfs", MS_NOSUID, "size=4m,mode=755")
    for folder in ("/proc", _TERMINALS, _SHARED_MEMORY, _EMPTY):
        os.makedirs(_BASE + folder)
    os.close(os.open(_BASE + _BLANK, os.O_CREAT | os.O_WRONLY, 0))
    _mount_devices(plan)
    _mount_processes(plan)
    for name, leads_to in plan.links:
        os.makedirs(os.path.dirname(_BASE + name), exist_ok=True)
        os.symlink(leads_to, _BASE + name)
    for path, source in sources:
        _bind(f"/proc/self/fd/{source}", path)
        os.close(source)
    for folder in ("/tmp", "/run", "/var/tmp", *plan.folders):  # noqa: S108 - they are the walls' own
        if not os.path.lexists(_BASE + folder):
            os.makedirs(_BASE + folder)
    for path in plan.hidden:
        _hide(path)
    change_root(_BASE)
    _make_read_only(plan)


def _in_order(plan: Plan) -> list[str]:
    """List what is bound, a folder before what lies in it; nothing twice, and nothing that is there anyway."""
    kept: list[str] = []
    for path in sorted({*plan.visible, *plan.writable, *plan.devices}, key=lambda path: path.count("/")):
        inside = [folder for folder in kept if _within(path, folder)]
        if not inside or (path in plan.writable and not any(folder in plan.writable for folder in inside)):
            kept.append(path)
    return kept


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
    """Give it terminals and shared memory of its own. Who opens a terminal there sees none of the machine's."""
    mount("devpts", f"{_BASE}{_TERMINALS}", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620")
    mount("shm", f"{_BASE}{_SHARED_MEMORY}", "tmpfs", MS_NOSUID | MS_NODEV, f"mode=1777,size={plan.shared_memory}")
    for name, leads_to in _DEVICE_LINKS.items():
        os.symlink(leads_to, f"{_BASE}/dev/{name}")


def _mount_processes(plan: Plan) -> None:
    mount("proc", f"{_BASE}/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    if plan.pids:
        _set("kernel/pid_max", plan.pids)
    _set("user/max_user_namespaces", 0)  # who may make one has every capability in it, and much of the kernel to attack
    for name in _UNREADABLE:
        _hide(f"/proc/{name}")
    for path in _shared_settings():
        mount(path, path, flags=MS_BIND | MS_REC)  # a mount of its own can be made read-only


def _shared_settings() -> Iterator[str]:
    """Yield what of /proc is about more than one process and could be written to.

    What is about one stays writable: CUDA names its threads in /proc/self/task/*/comm, and does not start without that.
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
    """Make every mount read-only but the writable folders and what is of its own; keep what else it forbids."""
    flags: dict[str, int] = {}
    for place, options in _mounts():
        own = place in ("/proc", _TERMINALS, _SHARED_MEMORY) or any(_within(place, folder) for folder in plan.writable)
        kept = sum(_OPTIONS.get(option, 0) for option in options) | (0 if own else MS_RDONLY)
        flags[place] = flags.get(place, MS_NOSUID | (0 if _within(place, "/dev") else MS_NODEV)) | kept
    for place, wanted in flags.items():
        mount("", place, flags=MS_REMOUNT | MS_BIND | wanted)


def _mounts() -> Iterator[tuple[str, list[str]]]:
    """Yield where something is mounted, and with which options: proc_pid_mountinfo(5)."""
    with open("/proc/self/mountinfo", "rb") as lines:
        for line in lines:
            words = line.split(b" ")
            place = words[4].decode("unicode_escape").encode("latin-1")  # a blank is written \\040
            yield os.fsdecode(place), words[5].decode().split(",")
