"""The target's own server, started with the AITER backend and driven over HTTP: needs a ROCm device and a model.

Owns the server's process from start to end, its log, and the loopback that it listens on. Nothing here is replaced by a
stand-in: it runs the target tree with the aiter and the libraries of the machine.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from sglang_aiter.device import Device
from sglang_aiter.tree import Tree

MODEL = "SUITE_SERVER_MODEL"
"""Names the folder of a small non-MLA model on this machine; nothing is downloaded."""
START_LIMIT, ANSWER_LIMIT = 300.0, 120.0
MAX_RUNNING, CONTEXT, PAGE = 2, 8192, 16
FAULTS = ("HSA_STATUS_ERROR_MEMORY_APERTURE_VIOLATION", "illegal memory access", "Memory access fault by GPU")
_SIOCSIFFLAGS, _UP_AND_RUNNING = 0x8914, 0x41


def not_run_because(device: Device) -> str:
    """Say why the server cannot be started here, or nothing."""
    if device.kind != "rocm":
        return "not run: no ROCm device"
    if importlib.util.find_spec("aiter") is None:
        return "not run: aiter is not installed"
    if not Path(os.environ.get(MODEL, "")).is_dir() or not os.environ.get(MODEL):
        return f"not run: {MODEL} names no model folder"
    return ""


class RunningServer:
    """A server of the target tree; ended with everything it started when the block is left."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "server.log"
        _raise_loopback()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        options = ["--host", "127.0.0.1", "--port", str(self._port), "--model-path", os.environ[MODEL]]
        options += ["--attention-backend", "aiter", "--page-size", str(PAGE), "--context-length", str(CONTEXT)]
        options += ["--max-running-requests", str(MAX_RUNNING), "--cuda-graph-max-bs", str(MAX_RUNNING)]
        path = os.pathsep.join([str(Tree.from_environment().root), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sglang.launch_server", *options],
            env={**os.environ, "PYTHONPATH": path, "SGLANG_USE_AITER": "1"},
            stdout=self.log.open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self) -> RunningServer:
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline:
            assert self._process.poll() is None, f"the server ended while starting: {self.tail()}"
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/health", timeout=5):
                    return self
            except (urllib.error.URLError, TimeoutError):
                time.sleep(2)
        self.__exit__()
        raise AssertionError(f"the server did not start in {START_LIMIT:g} s: {self.tail()}")

    def __exit__(self, *_raised: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def generate(self, tokens: int, new_tokens: int) -> dict[str, object]:
        """Generate after a prompt of so many tokens."""
        body = {"input_ids": [100 + place % 1000 for place in range(tokens)]}
        body |= {"sampling_params": {"max_new_tokens": new_tokens, "ignore_eos": True, "temperature": 0}}  # type: ignore[dict-item]
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}/generate",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=ANSWER_LIMIT) as answer:  # noqa: S310 - our own server
            return json.load(answer)  # type: ignore[no-any-return]

    def faults(self) -> list[str]:
        """Name the memory faults that the log speaks of."""
        text = self.log.read_text("utf-8", errors="replace")
        return [fault for fault in FAULTS if fault in text]

    def alive(self) -> bool:
        """Whether the server still runs."""
        return self._process.poll() is None

    def tail(self) -> str:
        """The end of the log."""
        return self.log.read_text("utf-8", errors="replace")[-600:]


def _raise_loopback() -> None:
    """A process with a network of its own finds its loopback down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        try:
            fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", _UP_AND_RUNNING))
        except OSError:
            return
