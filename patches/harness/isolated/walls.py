"""What a process can take from itself, so that the target's code cannot reach the judge. Linux; elsewhere nothing.

The kernel's manual: https://man7.org/linux/man-pages/man2/prctl.2.html, capset(2) and landlock(7).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import struct
import sys

_SET_DUMPABLE, _CAPBSET_DROP, _NO_NEW_PRIVS = 4, 24, 38
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3, _CAPABILITIES = 0x20080522, 64
_FILE_BYTES = 1 << 28
"""How large a file of the child can grow: enough for a compiled kernel, too little to fill a disk with its prints."""


def hide() -> None:
    """Let no other process of this user look into this one: no ptrace, no /proc/PID/mem, environ or fd."""
    _prctl(_SET_DUMPABLE, 0)


def give_up() -> None:
    """Drop every capability, for good: as root these would undo what `hide` does in another process."""
    _prctl(_NO_NEW_PRIVS, 1)
    for capability in range(_CAPABILITIES):
        _prctl(_CAPBSET_DROP, capability)
    number = _CAPSET.get(os.uname().machine)
    if sys.platform == "linux" and number:
        nothing = ctypes.create_string_buffer(struct.pack("6I", *[0] * 6))
        header = ctypes.create_string_buffer(struct.pack("Ii", _CAPABILITY_VERSION_3, 0))
        ctypes.CDLL(None).syscall(number, header, nothing)
    with contextlib.suppress(ValueError, OSError):
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        limit = _FILE_BYTES if hard == resource.RLIM_INFINITY else min(hard, _FILE_BYTES)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)
