"""Every Triton kernel that the graph paths launch compiles for AMD's GPUs, whatever this machine has.

What is launched is noted and not run, so these cases need no device.
"""

from __future__ import annotations

import pytest
from sglang_aiter import compile_amd, expect, kernels
from sglang_aiter.drive import Driver, batch
from sglang_aiter.server import Setting
from sglang_aiter.target import PREDICATES, Target

pytestmark = pytest.mark.apart


@pytest.fixture(scope="module")
def launches(target: Target) -> set[kernels.Launch]:
    """Drive every path once."""
    with kernels.recorded(launch=False) as calls:
        for mode in filter(target.supports, PREDICATES):
            for setting in settings(mode):
                Driver(target, setting).prepare(mode, batch([1, 17]), in_capture=True)
        for unified in (False, True):
            setting = Setting(unified=unified, draft=4, steps=3)
            Driver(target, setting, multi_step=True).prepare("decode", batch([1, 17]), in_capture=True)
    return {call.launch for call in calls}


def settings(mode: str) -> list[Setting]:
    """List the servers whose paths launch different kernels."""
    draft, steps = (None, None) if mode == "decode" else (4, 3)
    return [
        Setting(page=16, mla=mla, unified=unified, draft=draft, steps=steps)
        for mla, unified in ((False, False), (True, False), (False, True))
    ]


@pytest.mark.parametrize("arch", compile_amd.ARCHITECTURES)
def test_every_kernel_compiles(launches: set[kernels.Launch], record_property: expect.Figures, arch: str) -> None:
    """Registers and spills go into the report."""
    assert launches, "no kernel was launched"
    compiled = compile_amd.compile_all(launches, arch)
    for each in compiled:
        record_property(each.kernel, ", ".join(f"{name} {value}" for name, value in each.figures.items()))
    broken = [f"{each.kernel}: {each.error}" for each in compiled if each.error]
    assert not broken, "; ".join(broken)
