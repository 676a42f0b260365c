"""System calls that Python has no function for. Each raises OSError with its name and the path."""

from __future__ import annotations

import ctypes
import os
from functools import cache

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 0x1, 0x2, 0x4, 0x8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x20, 0x1000, 0x4000, 0x40000
_DETACH = 2

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWIPC = 0x20000, 0x2000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 4, 22, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 36, 38, 47

_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}


@cache
def libc() -> ctypes.CDLL:
    """Return the C library of this process."""
    return ctypes.CDLL(None, use_errno=True)


def check(result: int, name: str, path: str = "") -> int:
    """Return the result of a call. Raises OSError if it is -1."""
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}{path and ' '}{path}: {os.strerror(code)}")
    return result


def syscall(number: int, name: str, *arguments: object) -> int:
    """Make a system call that the C library has no function for."""
    return check(libc().syscall(ctypes.c_long(number), *arguments), name)


def prctl(option: int, *values: int) -> None:
    """Set an attribute of this process: prctl(2)."""
    check(libc().prctl(option, *(ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4])), "prctl", str(option))


def unshare(flags: int) -> None:
    """Move this process to new namespaces of the kinds that the flags name."""
    check(libc().unshare(flags), "unshare")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount a file system, or change a mount: mount(2)."""
    words = (os.fsencode(word) if word else None for word in (source, target, kind))
    data = options.encode() or None
    check(libc().mount(*words, ctypes.c_ulong(flags), data), "mount", target)


def change_root(new_root: str) -> None:
    """Make a mount point the root of this mount namespace. The old root cannot be reached afterwards."""
    os.chdir(new_root)
    # With equal arguments the old root is mounted over the new one and can be unmounted: pivot_root(2), "Notes".
    syscall(_PIVOT_ROOT[os.uname().machine], "pivot_root", b".", b".")
    check(libc().umount2(b".", _DETACH), "umount", "the old root")
    os.chdir("/")
