"""The process that children are forked from. It has imported what takes long, and nothing of the target's.

It is itself forked from the judge, so that what both need is imported once: torch takes longer to import than most
suites to run. It lets go of whatever the judge has open, and is forked before the judge draws what it expects.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

from isolated import walls
from isolated.worker import work

_OPEN_FILES = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")
_LARGEST = 1 << 16
"""Bytes of one request: a module's name and a few variables."""


class Process:
    """A forked child, seen from the judge. `exitcode` is None until it has ended, and negative for a signal."""

    def __init__(self, status: int) -> None:
        self._status = os.fdopen(status)
        self.pid = int(self._status.readline() or 0)
        self.exitcode: int | None = None

    def join(self, seconds: float) -> None:
        """Wait until it has ended, at most so long. One that has ended its keeper counts as killed."""
        if self.exitcode is None and select.select([self._status], [], [], seconds)[0]:
            self.exitcode = int(self._status.readline() or -signal.SIGKILL)
            self._status.close()

    def kill(self) -> None:
        """End what is left of it and of what it started in its session."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        if self.exitcode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, signal.SIGKILL)


class ForkServer:
    """The server, seen from the judge. It ends with the judge."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._wire, end = socket.socketpair()
        if os.fork() == 0:
            _never_return(partial(_serve, end, modules))
        end.close()

    def start(self, end: socket.socket, module: str, settings: dict[str, str]) -> Process | None:
        """Fork a child that serves the judge at `end`.

        Return None if the server is gone, as a child can end it. None is forked from the judge instead: by then that
        holds what children must not see.
        """
        reading, writing = os.pipe()
        try:
            socket.send_fds(self._wire, [json.dumps([module, settings]).encode()], [end.fileno(), writing])
        except OSError:
            os.close(reading)
            return None
        finally:
            os.close(writing)
        process = Process(reading)
        return process if process.pid else None


def _serve(end: socket.socket, modules: Sequence[str]) -> None:
    _let_go_of_files(but=end.fileno())
    walls.hide()
    gc.disable()  # it finds nothing while modules are imported; a child's begins with what comes after
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for keepers
    for module in modules:
        with contextlib.suppress(ImportError):  # a child that needs it will say so
            importlib.import_module(module)
    while request := socket.recv_fds(end, _LARGEST, 2):
        text, descriptors, _, _ = request
        if not text:
            return  # the judge has gone
        if os.fork() == 0:
            end.close()
            _never_return(partial(_keep, *descriptors, *json.loads(text)))
        for descriptor in descriptors:
            os.close(descriptor)


def _let_go_of_files(*, but: int) -> None:
    """Put nothing in the place of each file that the judge has open.

    Its objects are still there and close their files when they go: a number must not be another file's by then.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in [int(file.name) for file in _OPEN_FILES.iterdir()]:
        if number > 2 and number not in (but, nothing):
            os.dup2(nothing, number, inheritable=False)
    sys.stdout = sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)  # pytest's were among them


def _keep(end: int, status: int, module: str, settings: dict[str, str]) -> None:
    """Fork a child, and tell the judge its number and then its exit code: only a parent gets that."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.close(status)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        work(socket.socket(fileno=end), module, settings)
    os.close(end)
    os.write(status, f"{pid}\n".encode())
    _, code = os.waitpid(pid, 0)
    os.write(status, f"{os.waitstatus_to_exitcode(code)}\n".encode())


def _never_return(work_on: Callable[[], None]) -> NoReturn:
    """Leave without a way back into the judge's code, of which the stack is still there."""
    try:
        work_on()
    except BaseException:
        traceback.print_exc()
    os._exit(0)
