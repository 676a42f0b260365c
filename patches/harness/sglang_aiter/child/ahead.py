"""Kernels compiled before they are launched, side by side, for the GPU that is here; this process does not touch it.

Nothing rests on it. Compilers are given what was launched on tensors in memory, and leave the kernels in the folder
where Triton looks for them. What is not there, or was launched with other values, is compiled when it is launched.
"""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Iterable
from typing import Any

import torch

from sglang_aiter.child.kernels import Call

_MOST = 16
"""Processes that compile at once."""


class Ahead:
    """The compilers' processes. `target` is what Triton calls the GPU: its backend, architecture and warp size."""

    def __init__(self, target: tuple[str, str | int, int]) -> None:
        self._target = target
        self._begun: set[str] = set()
        self._compilers: list[int] = []

    def begin(self, calls: Iterable[Call]) -> None:
        """Compile what is not being compiled yet, and go on meanwhile."""
        new = {call.specialized: call for call in calls}
        kernels = [call for name, call in new.items() if name not in self._begun]
        self._begun |= new.keys()
        compilers = min(len(os.sched_getaffinity(0)), _MOST)
        for part in filter(None, (kernels[place::compilers] for place in range(compilers))):
            compiler = os.fork()
            if compiler == 0:
                self._compile(part)
            self._compilers.append(compiler)

    def wait(self) -> None:
        """Wait until all are compiled."""
        for compiler in self._compilers:
            os.waitpid(compiler, 0)
        self._compilers = []

    def _compile(self, calls: Iterable[Call]) -> None:
        """Compile as a launch does, up to the launch, and leave."""
        try:
            driver = pretend(self._target)
            for call in calls:
                with contextlib.suppress(Exception):  # the launch will say what is wrong
                    kernel = call.kernel.run(*call.args, grid=call.grid, warmup=True, **call.kwargs)
                    driver.launcher_cls(kernel.src, kernel.metadata)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)


def make_ready() -> None:
    """Compile what launches any kernel; it needs no device, and takes a C compiler."""
    with contextlib.suppress(Exception):  # the first launch will say what is wrong
        _driver("hip" if torch.version.hip else "cuda")


def pretend(target: tuple[str, str | int, int]) -> Any:
    """Let Triton compile for a GPU without asking the GPU; return its driver."""
    from triton.backends.compiler import GPUTarget  # noqa: PLC0415 - only after the device has been chosen
    from triton.runtime import driver  # noqa: PLC0415

    name, arch, warp = target
    active = _driver(name)
    active.get_current_target = lambda: GPUTarget(name, arch, warp)
    active.get_current_device = lambda: 0
    active.get_current_stream = lambda _device=None: 0
    driver.set_active(active)
    return active


def _driver(name: str) -> Any:
    from triton.backends import backends  # noqa: PLC0415 - only after the device has been chosen

    return backends["amd" if name == "hip" else "nvidia"].driver()
