"""Processes of the service that are killed, stopped, continued and started again."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any


class Zygote:
    """A process that has imported the service, and forks processes of it; see `lab_zygote`."""

    def __init__(self, temporary: Path) -> None:
        """Start it. Everything of it has its temporary files in this folder."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.server.lab_zygote"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
            env={**os.environ, "TMPDIR": str(temporary)},
        )  # fmt: skip

    def fork(self, **order: Any) -> int:
        """Start a process of the service; returns its number."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End it. What it started goes on."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


class ServedProcess:
    """One process of the service, with a data folder and a token of its own."""

    def __init__(self, zygote: Zygote, token: str, port: int, order: dict[str, Any]) -> None:
        self.token, self.port = token, port
        self._zygote, self._order = zygote, {**order, "token": token, "port": port}
        self._descriptor = -1
        self.number = 0
        self._lock = threading.Lock()

    def start(self, fuse: tuple[int, bool] | None = None) -> None:
        """Start it; returns at once. With a fuse (n, before) it kills itself at its n-th record."""
        self.number = self._zygote.fork(**self._order, fuse=fuse)
        self._descriptor = os.pidfd_open(self.number)

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        with self._lock:
            if self._descriptor >= 0 and select.select([self._descriptor], [], [], 0)[0]:
                os.close(self._descriptor)
                self._descriptor = -1
            return self._descriptor >= 0

    def kill(self, *, group: bool = False) -> None:
        """Kill it as it is, alone or with the processes of git in its group, and wait for its end."""
        with self._lock:
            if self._descriptor >= 0 and not select.select([self._descriptor], [], [], 0)[0]:
                (os.killpg if group else os.kill)(self.number, signal.SIGKILL)
                select.select([self._descriptor], [], [])

    def send(self, number: int, *, group: bool = False) -> None:
        """Send it a signal, alone or with the processes of git in its group."""
        (os.killpg if group else os.kill)(self.number, number)
