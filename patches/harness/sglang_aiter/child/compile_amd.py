"""Compile launches of the target's kernels for AMD architectures. It needs no GPU and no ROCm: Triton has the compiler.

The compiler and the interpreter do not go together in one process: this is for one whose cases use no device.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from sglang_aiter.child.kernels import Launch

_FIGURE = re.compile(r"^\s*\.(vgpr_count|sgpr_count|vgpr_spill_count|sgpr_spill_count):\s*(\d+)", re.MULTILINE)
_WAVEFRONT = 64


@dataclass(frozen=True)
class Compiled:
    """What the compiler made of one launch for one architecture; `error` is empty where it made something.

    `limit` says why it was not tried on this machine.
    """

    kernel: str
    arch: str
    error: str
    figures: dict[str, int]
    limit: str = ""


def compile_all(launches: Iterable[Launch], arch: str) -> list[Compiled]:
    """Compile each launch for an architecture; each answer has the kernel's registers and spills, or the error."""
    limit = linker_limit()
    if limit:
        return [Compiled(launch.kernel, arch, "", {}, limit) for launch in sorted(launches, key=str)]
    return [_compiled(launch, arch) for launch in sorted(launches, key=str)]


def linker_limit() -> str:
    """Return why nothing can be compiled for AMD here, and what to do; empty if it can be."""
    import triton  # noqa: PLC0415 - only after the device has been chosen
    from triton.backends.amd.compiler import HIPBackend  # noqa: PLC0415

    find_linker = getattr(HIPBackend, "path_to_rocm_lld", None)  # from 3.5 on Triton links by itself
    try:
        if find_linker is not None:
            find_linker()
    except Exception as error:
        return (
            f"triton {triton.__version__} links kernels for AMD with ROCm's ld.lld, which is not here ({error}), so "
            "none was compiled. Set TRITON_HIP_LLD_PATH, or take triton 3.5 or newer."
        )
    return ""


def _compiled(launch: Launch, arch: str) -> Compiled:
    import triton  # noqa: PLC0415 - only after the device has been chosen
    from triton.backends.compiler import GPUTarget  # noqa: PLC0415
    from triton.compiler import ASTSource  # noqa: PLC0415

    try:
        kernel = getattr(importlib.import_module(launch.module), launch.kernel)
        constants = {(kernel.arg_names.index(name),): value for name, value in launch.constants}
        source = ASTSource(kernel, dict(launch.signature), constexprs=constants)
        assembly = triton.compile(source, target=GPUTarget("hip", arch, _WAVEFRONT)).asm["amdgcn"]
    except Exception as error:  # whatever the compiler raises is what the report is for
        return Compiled(launch.kernel, arch, f"{type(error).__name__}: {error}", {})
    return Compiled(launch.kernel, arch, "", {name: int(value) for name, value in _FIGURE.findall(assembly)})
