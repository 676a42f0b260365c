"""The child: does one thing after another that it is asked, and answers. What it runs is the target's.

A handler is any object whose methods are the requests by name; they take the request's values by name and return
something that JSON can hold. It is made after the walls are up.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import importlib
import os
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

from isolated import walls
from isolated.errors import HarnessError
from isolated.wire import Closed, Wire

LIMIT = "harness"
"""How an answer says that the harness, and not the target, was at its limit."""
_FRAMES = 4


def work(end: socket.socket, module: str, settings: dict[str, str]) -> None:
    """Serve requests until the judge closes the connection, and leave without ever returning.

    The first thing to come are two descriptors: of the file that takes what is printed, and of the shared memory.
    """
    _, (said, region), _, _ = socket.recv_fds(end, 1, 2)
    os.setsid()
    gc.freeze()
    gc.enable()
    _speak_into(said)
    walls.give_up()
    os.environ.update(settings)
    code = 0
    try:
        handler = importlib.import_module(module).Handler(region)
        wire = Wire(end)
        wire.send({"ready": True})
        _serve(wire, handler)
    except Closed:
        pass
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _serve(wire: Wire, handler: object) -> None:
    while True:
        request = wire.receive()
        wire.send({"nonce": request["nonce"]} | _answer(handler, request["ask"], request["given"]))


def _answer(handler: object, name: str, given: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"answer": getattr(handler, name)(**given)}
    except Exception as error:  # whatever the target raises is an answer
        return {
            "raised": f"{type(error).__name__}: {error}"[:2000],
            LIMIT: isinstance(error, HarnessError),
            "where": _where(error),
        }


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))


def _speak_into(said: int) -> None:
    """Let everything printed from here on, also by a runtime that aborts the process, go to one file."""
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.stdout = os.fdopen(1, "w", buffering=1, errors="replace", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="replace", closefd=False)
    faulthandler.enable(sys.stderr)
    with contextlib.suppress(AttributeError):
        faulthandler.register(signal.SIGUSR2, sys.stderr)
