"""Whether Triton's interpreter works on this machine: a kernel of ours, with a loop, as each of the target's has one.

It is asked before anything of the target is loaded. A kernel that fails here says nothing about the target.
"""

from __future__ import annotations

from importlib import metadata
from typing import Any

import torch
import triton
import triton.language as tl


@triton.jit
def _add_up(source: Any, result: Any, count: Any, block: tl.constexpr):  # type: ignore[no-untyped-def]  # noqa: ANN202
    total = tl.zeros([block], dtype=tl.int32)
    for part in range(tl.cdiv(count, block)):
        places = part * block + tl.arange(0, block)
        total += tl.load(source + places, mask=places < count, other=0)
    tl.store(result, tl.sum(total))


def interpreter_limit() -> str:
    """Return why no kernel can be interpreted here, and what to do; empty if kernels can be."""
    source, result = torch.arange(11, dtype=torch.int32), torch.zeros(1, dtype=torch.int32)
    try:
        _add_up[(1,)](source, result, 11, 4)
        problem = "" if result.item() == 55 else f"a sum came out as {result.item()} instead of 55"
    except Exception as error:
        problem = " ".join(f"{type(error).__name__}: {error}".split())
    if not problem:
        return ""
    versions = " and ".join(f"{name} {metadata.version(name)}" for name in ("triton", "numpy"))
    return (
        f"{versions} do not interpret a kernel with a loop ({problem}), so nothing was run. Take another of the two: "
        "triton 3.7 goes with numpy 2.4, and triton 3.4 to 3.6 with numpy 2.3."
    )
