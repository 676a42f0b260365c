"""Every Triton kernel that the graph paths launch compiles for AMD's GPUs, whatever this machine has.

What is launched is noted and not run, so these cases need no device. It is done in a child of its own, while the other
cases run.
"""

from __future__ import annotations

import pytest
from sglang_aiter import expect
from sglang_aiter.compiling import ARCHITECTURES, Compiling

pytestmark = pytest.mark.last


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_every_kernel_compiles(compiling: Compiling, record_property: expect.Figures, arch: str) -> None:
    """Registers and spills go into the report."""
    compiled = compiling.of(arch)
    assert compiled, "no kernel was launched"
    if compiled[0]["limit"]:
        pytest.skip(compiled[0]["limit"])
    for each in compiled:
        record_property(each["kernel"], ", ".join(f"{name} {value}" for name, value in each["figures"].items()))
    broken = [f"{each['kernel']}: {each['error']}" for each in compiled if each["error"]]
    assert not broken, "; ".join(broken)
