"""The program between the bot and a process that runs untrusted code. It ends with the bot, and ends the process.

    bot ─ launcher ─ first process of the namespaces ─ the process itself

When the first process of a namespace ends, the kernel ends all others in it: pid_namespaces(7). Without isolation the
launcher adopts the children that the process leaves behind, and ends them. The exit code is that of the process, or
128 + n after signal n.
"""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import struct
import sys
import time
from typing import NoReturn

from bot.isolation import system_calls
from bot.isolation.launch_order import Order, from_text
from bot.isolation.privileges import give_up_privileges
from bot.isolation.root import enter_root

NOT_STARTED, NOT_FOUND = 126, 127
_NAMESPACES = (
    system_calls.CLONE_NEWUSER
    | system_calls.CLONE_NEWNS
    | system_calls.CLONE_NEWPID
    | system_calls.CLONE_NEWIPC
    | system_calls.CLONE_NEWCGROUP
    | system_calls.CLONE_NEWNET
)
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1


def main(text: str, command: list[str]) -> NoReturn:
    """Run the command as the order says, and exit with its exit code."""
    order = from_text(text)
    if order.plan is None:
        _run_bare(order, command)
    _run_isolated(order, command)


# --- isolated -------------------------------------------------------------------------------------------------------


def _run_isolated(order: Order, command: list[str]) -> NoReturn:
    _end_with_parent(signal.SIGKILL)
    if os.getppid() != order.bot:
        os._exit(NOT_STARTED)
    try:
        _enter_namespaces(network=order.network)
    except OSError as error:
        _give_up(error)
    alive, ours = os.pipe()
    first = os.fork()
    if first == 0:
        os.close(ours)
        _run_first(order, command, alive)
    os.close(alive)
    _exit_like(os.waitpid(first, 0)[1])


def _enter_namespaces(*, network: bool) -> None:
    """Enter new namespaces; `network` keeps the shared network. Our user is root in them, and the only user."""
    user, group = os.getuid(), os.getgid()
    system_calls.unshare(_NAMESPACES & ~(system_calls.CLONE_NEWNET if network else 0))
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def _run_first(order: Order, command: list[str], alive: int) -> NoReturn:
    """Isolate this process, run the command in it, and end with it."""
    try:
        _end_with_parent(signal.SIGKILL)
        _check_parent(alive)
        if order.plan is not None:
            enter_root(order.plan)
        if not order.network:
            _start_loopback()
        # No file of the old root stays open. This process's program is one, so no process inside may inspect this one.
        os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        give_up_privileges(shared_network=order.network)
        system_calls.prctl(system_calls.PR_SET_DUMPABLE, 0)
    except (OSError, KeyError) as error:
        _give_up(error)
    _exit_as_it_ends(_start(order, command))


def _check_parent(alive: int) -> None:
    """Exit if the parent ended before it could be watched: then the other end of the pipe is closed."""
    os.set_blocking(alive, False)
    try:
        os.read(alive, 1)
    except BlockingIOError:
        return
    os._exit(NOT_STARTED)


def _start_loopback() -> None:
    """Bring up the network's only interface. It reaches nothing outside."""
    socket = system_calls.check(system_calls.libc().socket(2, 2, 0), "socket")
    fcntl.ioctl(socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
    os.close(socket)


def _exit_as_it_ends(child: int) -> NoReturn:
    while True:
        process, status = os.wait()
        if process == child:
            _exit_like(status)


# --- not isolated -----------------------------------------------------------------------------------------------------


def _run_bare(order: Order, command: list[str]) -> NoReturn:
    def end(*_: object) -> NoReturn:
        _end_children()
        if order.farewell:
            os.waitpid(os.posix_spawnp(order.farewell[0], order.farewell, os.environ), 0)
        os._exit(NOT_STARTED)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    if sys.platform == "linux":
        system_calls.prctl(system_calls.PR_SET_CHILD_SUBREAPER, 1)
        _end_with_parent(signal.SIGTERM)
    if os.getppid() != order.bot:
        os._exit(NOT_STARTED)
    child = _start(order, command)
    status = os.waitpid(child, 0)[1]
    _end_children()
    _exit_like(status)


def _end_children() -> None:
    """End our children until there is none left. The children of a child that ended become ours."""
    while True:
        for process in _children():
            os.kill(process, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.005)


def _children() -> list[int]:
    """List our children. In proc_pid_stat(5) the parent is the second field after the name in brackets."""
    children = []
    for name in filter(str.isdecimal, os.listdir("/proc") if sys.platform == "linux" else ()):
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
        if parent == os.getpid():
            children.append(int(name))
    return children


# --- both -------------------------------------------------------------------------------------------------------------


def _end_with_parent(number: signal.Signals) -> None:
    """Make the kernel send this process a signal when its parent ends: PR_SET_PDEATHSIG(2const)."""
    system_calls.prctl(system_calls.PR_SET_PDEATHSIG, number)


def _start(order: Order, command: list[str]) -> int:
    """Start the command with its limits, and return its process id."""
    child = os.fork()
    if child:
        return child
    try:
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        for name, value in order.limits:
            _limit(getattr(resource, name), value)
        os.chdir(order.directory)
        os.execvp(command[0], command)  # noqa: S606 - by design
    except OSError as error:
        print(f"{command[0]} cannot be started: {error.strerror}", file=sys.stderr, flush=True)  # noqa: T201
    os._exit(NOT_FOUND)


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (lowest, lowest))


def _exit_like(status: int) -> NoReturn:
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _give_up(error: Exception) -> NoReturn:
    reason = error.strerror if isinstance(error, OSError) else f"the system calls of {error} are not known"
    print(f"the process cannot be isolated: {reason}", file=sys.stderr, flush=True)  # noqa: T201
    os._exit(NOT_STARTED)
