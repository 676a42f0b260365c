"""Gives up privileges for good: capabilities, the means to gain them, and system calls that reach out of namespaces.

Namespaces do not isolate the keys of the user's session, sockets to a virtual machine's host, or the kernel's log.
io_uring makes system calls that no filter sees.
"""

from __future__ import annotations

import ctypes
import os
import struct

from bot.isolation.system_calls import (
    PR_CAP_AMBIENT,
    PR_CAPBSET_DROP,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_SECCOMP,
    check,
    libc,
    prctl,
    syscall,
)

# Numbers by architecture: arch/x86/entry/syscalls/syscall_64.tbl and scripts/syscall.tbl of Linux.
_FORBIDDEN = {
    # add_key, request_key, keyctl, syslog, perf_event_open, fanotify_init, open_by_handle_at, bpf, userfaultfd,
    # io_uring_setup, io_uring_enter, io_uring_register
    "x86_64": (248, 249, 250, 103, 298, 300, 304, 321, 323, 425, 426, 427),
    "aarch64": (217, 218, 219, 116, 241, 262, 265, 280, 282, 425, 426, 427),
}
_SOCKET = {"x86_64": 41, "aarch64": 198}
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_FAMILIES = (1, 2, 10, 16)
"""Unix, IPv4, IPv6, netlink. Not vsock, which no network namespace isolates, nor raw packets."""
_X32 = 0x40000000
"""The bit that marks the second set of system calls of x86_64."""

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x50000
_EPERM, _ENOSYS, _EAFNOSUPPORT = 1, 38, 97
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
"""Offsets in struct seccomp_data."""

_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446
_LANDLOCK_ABSTRACT_SOCKETS = 1
_LANDLOCK_SCOPES = 6
"""The first version of Landlock that denies a process the abstract sockets of others: Linux 6.12."""


def give_up_privileges(*, shared_network: bool) -> None:
    """Drop all capabilities and forbid system calls that reach outside, for this process and all that it starts."""
    _drop_capabilities()
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    if shared_network:
        _close_abstract_sockets()
    _filter_system_calls()


def _drop_capabilities() -> None:
    prctl(PR_CAP_AMBIENT, 4)
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # the kernel has no further capability
            break
    header, no_capabilities = struct.pack("Ii", 0x20080522, 0), bytes(24)
    check(libc().capset(header, no_capabilities), "capset")


def _close_abstract_sockets() -> None:
    """Deny the abstract sockets of other processes. Before Linux 6.12 nothing can: they belong to the network."""
    try:
        if syscall(_LANDLOCK_CREATE, "landlock", None, ctypes.c_size_t(0), 1) < _LANDLOCK_SCOPES:
            return
    except OSError:
        return
    rules = struct.pack("QQQ", 0, 0, _LANDLOCK_ABSTRACT_SOCKETS)
    ruleset = syscall(_LANDLOCK_CREATE, "landlock_create_ruleset", rules, ctypes.c_size_t(len(rules)), 0)
    syscall(_LANDLOCK_RESTRICT, "landlock_restrict_self", ruleset, 0)
    os.close(ruleset)


def _filter_system_calls() -> None:
    program = b"".join(_program(os.uname().machine))
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    pointer = ctypes.create_string_buffer(header, len(header))
    prctl(PR_SET_SECCOMP, 2, ctypes.addressof(pointer))


def _program(machine: str) -> list[bytes]:
    """Build the filter, 8 bytes for each BPF instruction. Raises KeyError for a machine with unknown numbers."""
    steps = [_step(_LOAD, _ARCHITECTURE), *_unless_equal(_AUDIT_ARCH[machine], _ENOSYS), _step(_LOAD, _NUMBER)]
    if machine == "x86_64":
        steps += [_step(_AT_LEAST, _X32, 0, 1), _step(_RETURN, _ERRNO | _ENOSYS)]
    for number in _FORBIDDEN[machine]:
        steps += [_step(_EQUAL, number, 0, 1), _step(_RETURN, _ERRNO | _EPERM)]
    steps += [_step(_EQUAL, _SOCKET[machine], 1, 0), _step(_RETURN, _ALLOW), _step(_LOAD, _FIRST_ARGUMENT)]
    for family in _FAMILIES:
        steps += [_step(_EQUAL, family, 0, 1), _step(_RETURN, _ALLOW)]
    return [*steps, _step(_RETURN, _ERRNO | _EAFNOSUPPORT)]


def _unless_equal(value: int, code: int) -> list[bytes]:
    return [_step(_EQUAL, value, 1, 0), _step(_RETURN, _ERRNO | code)]


def _step(operation: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", operation, if_true, if_false, value)
