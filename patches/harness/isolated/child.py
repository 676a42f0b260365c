"""The judge's side of a child process: starts it, asks it, and knows how it ended.

Owns the process from its start to its end. Every answer must bear the number of the request that it answers; an answer
that was there before the request, a flood, or a silence is the end of the child and a failure of the case.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import secrets
import signal
import socket
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from isolated.errors import HarnessError, TargetFailed
from isolated.fork_server import ForkServer, Process
from isolated.wire import BadMessage, Closed, Silent, Wire
from isolated.worker import LIMIT

SECONDS = "SUITE_CASE_SECONDS"
_SECONDS = 240.0
_START_SECONDS = 120.0
_DUMP_SECONDS, _DUMP_STEP = 5.0, 0.05
"""How long a hanging process gets to say where it hangs, and how often that is looked for."""
_END_SECONDS, _DEATH_SECONDS = 1.0, 10.0
"""How long a process that was told to end gets to do so, and how long one that has ended gets until it is seen."""
_STACK = "(most recent call first):"
_SAID = 1200
"""Characters of what a process printed last that a report repeats."""
_FRAMES = 6


_servers: list[ForkServer] = []


def preload(*modules: str, shared: Sequence[str] = ()) -> None:
    """Start the process that children are forked from; call it while a suite's plugins are loaded.

    The `shared` modules are imported before, for the judge as well. That process imports the others meanwhile. None of
    them is the target's.
    """
    for module in shared:
        importlib.import_module(module)
    _servers.append(ForkServer(modules))


class Child:
    """One process that serves the requests of a handler, which is made in it from a module's name."""

    def __init__(self, module: str, *, descriptor: int = -1, settings: dict[str, str] | None = None) -> None:
        self.asked = 0
        self.ended = ""
        self._said = tempfile.NamedTemporaryFile("w+", prefix="said-", errors="replace")  # noqa: SIM115 - closed by end()
        near, far = socket.socketpair()
        self._wire, self._pending = Wire(near), ""
        if not _servers:
            raise HarnessError("No child can be forked. Let the suite call `isolated.child.preload` first.")
        self._process = _servers[-1].start(far, module, settings or {})
        if self._process is None:
            self.ended = "the process that children are forked from was ended by one of them"
        far.close()
        said = self._said.fileno()
        with contextlib.suppress(OSError):  # it has ended; the first request will say how
            socket.send_fds(near, [b"."], [said, said if descriptor < 0 else descriptor])
        self._ready = False

    def ask(self, name: str, **given: Any) -> Any:
        """Ask for one thing and return the answer. Raises TargetFailed or HarnessError."""
        self.begin(name, **given)
        return self.answer()

    def begin(self, name: str, **given: Any) -> None:
        """Ask, and go on meanwhile."""
        self._come_up()
        if self._wire.anything_waits():
            self._lose("it answered before it was asked")
        self._pending = secrets.token_hex(8)
        self.asked += 1
        with contextlib.suppress(Closed):
            self._wire.send({"nonce": self._pending, "ask": name, "given": given})

    def answer(self) -> Any:
        """Return the answer to what was asked last."""
        message = self._receive(float(os.environ.get(SECONDS, _SECONDS)))
        if message.get("nonce") != self._pending:
            self._lose("it answered something that it was not asked")
        if "raised" in message:
            said = f"{message['raised']} (in {message.get('where', '?')})"
            raise HarnessError(said) if message.get(LIMIT) is True else TargetFailed(said)
        return message.get("answer")

    def end(self) -> None:
        """Make sure that nothing of it is left."""
        self._wire.close()
        _end(self._process, _END_SECONDS)
        self._said.close()

    def _come_up(self) -> None:
        if self.ended:
            raise TargetFailed(self.ended)
        if not self._ready:
            self._ready = "ready" in self._receive(_START_SECONDS)

    def _receive(self, seconds: float) -> dict[str, Any]:
        if self.ended:
            raise TargetFailed(self.ended)
        try:
            return self._wire.receive(seconds)
        except BadMessage as bad:
            self._lose(f"it gave {bad}")
        except Silent:
            self._ask_where()
            self._lose(f"it hung and was stopped after {seconds:g} s")
        except Closed:
            self._lose("")
        raise AssertionError("unreachable")

    def _lose(self, why: str) -> None:
        self._wire.close()
        code = _end(self._process, _DEATH_SECONDS if not why else 0.0)
        words = _last_words(self._printed())
        fact = why or _ending(code)
        self.ended = f"{fact}; it said last: {words}" if words else f"{fact}, without a word"
        raise TargetFailed(self.ended)

    def _ask_where(self) -> None:
        """Let it print its stack, and wait until that is there and grows no more."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGUSR2)
        deadline, before = time.monotonic() + _DUMP_SECONDS, ""
        while time.monotonic() < deadline and (_STACK not in before or before != self._printed()):
            before = self._printed()
            time.sleep(_DUMP_STEP)

    def _printed(self) -> str:
        return Path(self._said.name).read_text(errors="replace")


def _end(process: Process | None, seconds: float) -> int:
    """Give it so long to end, and make sure that nothing of it is left; return its exit code, negative for a signal."""
    if process is None:
        return 0
    process.join(seconds)
    process.kill()
    process.join(_DEATH_SECONDS)
    return process.exitcode or 0


def _last_words(text: str) -> str:
    """Cut out the end of what was printed; of a dumped stack its first frames, which are the newest."""
    before, stack, frames = text.rstrip().rpartition(_STACK)
    shown = frames.splitlines()[: _FRAMES + 1] if stack else []
    return (before + stack)[-_SAID:].strip() + "\n".join(shown) if stack else frames[-_SAID:].strip()


def _ending(code: int) -> str:
    if code >= 0:
        return f"its process left with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process was ended by signal {-code}"
