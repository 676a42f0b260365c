"""Which Triton kernels the target launches, and with what: enough to compile them for a device that is not here.

Owns the recording of launches and where they are compiled: here, or in a process of its own where this one has the
interpreter, because the interpreter and the compiler do not go together in one.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from sglang_aiter.compile_amd import compile_all
from sglang_aiter.errors import HarnessError

ARCHITECTURES = ("gfx942", "gfx950", "gfx90a")
"""AMD's data-centre GPUs that upstream runs on: MI300X and MI325X, MI355X, MI250X."""
TIMEOUT = 300.0
_TYPES = {
    torch.bool: "*i1",
    torch.uint8: "*u8",
    torch.int32: "*i32",
    torch.int64: "*i64",
    torch.float16: "*fp16",
    torch.bfloat16: "*bf16",
    torch.float32: "*fp32",
}


@dataclass(frozen=True)
class Launch:
    """One kernel by module and name, the type of each parameter, and the values of those that are compiled in."""

    module: str
    kernel: str
    signature: tuple[tuple[str, str], ...]
    constants: tuple[tuple[str, int | bool | None], ...]


@dataclass(frozen=True)
class Compiled:
    """What the compiler made of one launch for one architecture; `error` is empty where it made something."""

    kernel: str
    arch: str
    error: str
    figures: dict[str, int]


@dataclass(frozen=True)
class Call:
    """One launch as it happened: with the very tensors that the kernel read and wrote."""

    kernel: Any
    grid: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def again(self) -> None:
        """Launch once more on the same tensors."""
        self.kernel[self.grid](*self.args, **self.kwargs)

    @property
    def tensors(self) -> list[torch.Tensor]:
        """The tensors among the arguments, in order."""
        return [each for each in (*self.args, *self.kwargs.values()) if isinstance(each, torch.Tensor)]

    @property
    def launch(self) -> Launch:
        """What the compiler needs to know of it."""
        return _described(self.kernel, self.args, self.kwargs)


@contextlib.contextmanager
def recorded() -> Iterator[list[Call]]:
    """Collect the launches inside the block."""
    from triton.runtime.jit import KernelInterface  # noqa: PLC0415 - only after the device has been chosen

    calls: list[Call] = []
    original = KernelInterface.__getitem__

    def note_and_launch(kernel: Any, grid: Any) -> Any:
        launch = original(kernel, grid)

        def noted(*args: Any, **kwargs: Any) -> Any:
            calls.append(Call(kernel, grid, args, kwargs))
            return launch(*args, **kwargs)

        return noted

    KernelInterface.__getitem__ = note_and_launch
    try:
        yield calls
    finally:
        KernelInterface.__getitem__ = original


def compile_for_amd(launches: set[Launch]) -> list[Compiled]:
    """Compile every launch for every architecture. Raises HarnessError if the compiler's process ends badly."""
    asked = [asdict(launch) for launch in sorted(launches, key=str)]
    interpreted = os.environ.get("TRITON_INTERPRET") == "1"
    found = _compile_apart(asked) if interpreted else compile_all(asked, ARCHITECTURES)
    return [Compiled(**each) for each in found]


def _compile_apart(launches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    ended = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("compile_amd.py"))],
        input=json.dumps({"launches": launches, "archs": ARCHITECTURES}),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        env=environment,
        check=False,
    )
    if ended.returncode != 0:
        raise HarnessError(f"The AMD compiler's process exited with {ended.returncode}: {ended.stderr[-500:]}")
    return json.loads(ended.stdout)  # type: ignore[no-any-return]


def _described(kernel: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Launch:
    function = kernel
    while not inspect.isfunction(function):
        function = function.fn
    parameters = inspect.signature(function).parameters
    given = {**dict(zip(parameters, args, strict=False)), **kwargs}
    signature, constants = [], []
    for name, parameter in parameters.items():
        value = given.get(name, parameter.default)
        compiled_in = "constexpr" in str(parameter.annotation) or value is None
        if compiled_in:
            constants.append((name, getattr(value, "value", value)))
        signature.append((name, "constexpr" if compiled_in else _type(value)))
    return Launch(function.__module__, function.__name__, tuple(signature), tuple(constants))


def _type(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return _TYPES[value.dtype]
    if isinstance(value, bool):
        return "i1"
    return "fp32" if isinstance(value, float) else "i32" if -(2**31) <= value < 2**31 else "i64"
