"""Where a suite runs: the CPU under Triton's interpreter, or a GPU through torch's one API for CUDA and ROCm.

The only place that knows vendors apart. Nothing here imports triton: the child does, once it knows the device.
"""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import torch


class NoDevice(Exception):
    """The device that SUITE_DEVICE names is not there."""


@dataclass(frozen=True)
class Device:
    """A device kind with the torch device string that reaches it."""

    kind: str
    torch: str

    @property
    def is_gpu(self) -> bool:
        """Whether kernels are compiled and graphs are captured for real."""
        return self.kind in ("cuda", "rocm")

    @property
    def environment(self) -> dict[str, str]:
        """What a child that uses it needs to be told before it imports triton: on a CPU, the interpreter."""
        return {"TRITON_INTERPRET": "1"} if self.kind == "cpu" else {}

    def wait(self) -> None:
        """Wait until what this process has asked of the device is done."""
        if self.is_gpu:
            torch.cuda.synchronize(0)  # without a number torch counts the devices each time

    def compiled_for(self) -> tuple[str, str | int, int]:
        """Return what Triton calls this GPU: its backend, architecture and warp size."""
        found = torch.cuda.get_device_properties(0)
        if self.kind == "rocm":
            return "hip", found.gcnArchName.partition(":")[0], int(getattr(found, "warp_size", 64))
        return "cuda", 10 * found.major + found.minor, 32

    def describe(self) -> dict[str, str]:
        """Name the hardware and every version that a figure depends on, as report properties."""
        versions = {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "triton": metadata.version("triton"),
        }
        if not self.is_gpu:
            return _properties("cpu", "Triton interpreter", platform.machine(), versions)
        found = torch.cuda.get_device_properties(0)
        arch = found.gcnArchName.partition(":")[0] if self.kind == "rocm" else f"sm_{found.major}{found.minor}"
        versions["runtime"] = f"HIP {torch.version.hip}" if torch.version.hip else f"CUDA {torch.version.cuda}"
        return _properties(self.kind, found.name, arch, versions | {"driver": _driver(self.kind)})


COMPILER = Device("none", "cpu")
"""No device: tensors lie in memory, and a kernel's launch can be noted and compiled, not made."""


def choose() -> Device:
    """Choose the device that SUITE_DEVICE names. Raises NoDevice."""
    asked = os.environ.get("SUITE_DEVICE", "auto")
    there = "cpu"
    if torch.cuda.is_available():
        there = "rocm" if torch.version.hip else "cuda"
    kind = there if asked == "auto" else asked
    if kind not in ("cpu", there):
        raise NoDevice(f"a {kind} device was asked for, and torch {torch.__version__} sees none here.")
    return Device(kind, "cpu" if kind == "cpu" else "cuda")


def _properties(kind: str, name: str, arch: str, versions: dict[str, str]) -> dict[str, str]:
    device = {"device.kind": kind, "device.name": name, "device.arch": arch}
    return device | {f"version.{what}": value for what, value in versions.items()}


def _driver(kind: str) -> str:
    """Read what the kernel says of the driver, as torch does not; else ask the vendor's tool, which takes longer."""
    module = {"cuda": "nvidia", "rocm": "amdgpu"}[kind]
    with contextlib.suppress(OSError):
        return Path(f"/sys/module/{module}/version").read_text(encoding="ascii").strip()
    if kind == "rocm":
        return "unknown"
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout
        return answer.partition("\n")[0].strip() or "unknown"
    return "unknown"
