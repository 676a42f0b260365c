"""Compile launches of the target's kernels for AMD architectures. It needs no GPU and no ROCm: Triton has the compiler.

Also a program of its own, for a process that must not interpret: JSON in on standard input, JSON out.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_FIGURE = re.compile(r"^\s*\.(vgpr_count|sgpr_count|vgpr_spill_count|sgpr_spill_count):\s*(\d+)", re.MULTILINE)
_WAVEFRONT = 64


def main() -> None:
    """Compile what standard input asks for."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from sglang_aiter.finder import install  # noqa: PLC0415 - the path to it has just been set
    from sglang_aiter.tree import Tree  # noqa: PLC0415

    install(Tree.from_environment(), whole=[], stand_ins={})
    work = json.load(sys.stdin)
    print(json.dumps(compile_all(work["launches"], work["archs"])))  # noqa: T201


def compile_all(launches: Sequence[dict[str, Any]], archs: Sequence[str]) -> list[dict[str, Any]]:
    """Compile each launch for each architecture; each answer has the kernel's registers and spills, or the error."""
    return [_compiled(launch, arch) for launch in launches for arch in archs]


def _compiled(launch: dict[str, Any], arch: str) -> dict[str, Any]:
    import triton  # noqa: PLC0415 - the harness's own modules come first
    from triton.backends.compiler import GPUTarget  # noqa: PLC0415
    from triton.compiler import ASTSource  # noqa: PLC0415

    try:
        kernel = getattr(importlib.import_module(launch["module"]), launch["kernel"])
        constants = {(kernel.arg_names.index(name),): value for name, value in launch["constants"]}
        source = ASTSource(kernel, dict(launch["signature"]), constexprs=constants)
        assembly = triton.compile(source, target=GPUTarget("hip", arch, _WAVEFRONT)).asm["amdgcn"]
    except Exception as error:  # whatever the compiler raises is what the report is for
        return {"kernel": launch["kernel"], "arch": arch, "error": f"{type(error).__name__}: {error}", "figures": {}}
    figures = {name: int(value) for name, value in _FIGURE.findall(assembly)}
    return {"kernel": launch["kernel"], "arch": arch, "error": "", "figures": figures}


if __name__ == "__main__":
    main()
