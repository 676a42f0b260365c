"""Which Triton kernels the target launches, and with what: enough to compile them for a device that is not here.

Owns the recording of launches, whether they are made or only noted.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

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
    def specialized(self) -> str:
        """Name what Triton compiles a kernel anew for, and a little more: values, and what 16 divides."""
        return f"{self.launch} {[_special(value) for value in (*self.args, *self.kwargs.values())]}"

    @property
    def launch(self) -> Launch:
        """What the compiler needs to know of it."""
        return _described(self.kernel, self.args, self.kwargs)


@contextlib.contextmanager
def recorded(*, launch: bool = True) -> Iterator[list[Call]]:
    """Collect the launches inside the block; without `launch` none of them is made."""
    calls: list[Call] = []
    with contextlib.ExitStack() as stack:
        for launcher in _launchers():
            stack.enter_context(_noted(launcher, calls, launch=launch))
        yield calls


def _launchers() -> list[Any]:
    """Return the classes of kernels. Before Triton 3.6 that of interpreted ones has nothing to do with the other."""
    from triton.runtime.jit import KernelInterface  # noqa: PLC0415 - only after the device has been chosen

    interpreted = getattr(sys.modules.get("triton.runtime.interpreter"), "InterpretedFunction", KernelInterface)
    return [KernelInterface] if issubclass(interpreted, KernelInterface) else [KernelInterface, interpreted]


@contextlib.contextmanager
def _noted(launcher: Any, calls: list[Call], *, launch: bool) -> Iterator[None]:
    original = launcher.__getitem__

    def note_and_launch(kernel: Any, grid: Any) -> Any:
        run = original(kernel, grid)

        def noted(*args: Any, **kwargs: Any) -> Any:
            calls.append(Call(kernel, grid, args, kwargs))
            return run(*args, **kwargs) if launch else None

        return noted

    launcher.__getitem__ = note_and_launch
    try:
        yield
    finally:
        launcher.__getitem__ = original


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


def _special(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.data_ptr() % 16
    return (value == 1, value % 16 == 0) if isinstance(value, int) else str(value)


def _type(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return _TYPES[value.dtype]
    if isinstance(value, bool):
        return "i1"
    return "fp32" if isinstance(value, float) else "i32" if -(2**31) <= value < 2**31 else "i64"
