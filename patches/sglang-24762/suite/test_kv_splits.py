"""MLA on gfx942 takes no more KV splits than on gfx950; every other machine takes what it took.

The machines are described, not there: what is looked at is the number that the backend's constructor comes to, and the
size of the buffer that a graph keeps for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sglang_parts.part import Part

PART = "kv_splits"
Figures = Callable[[str, object], None]
MI300X = ("gfx942", 304)
OTHERS = {
    "gfx942-80-units": ("gfx942", 80),
    "gfx950": ("gfx950", 256),
    "gfx90a": ("gfx90a", 104),
    "cuda-304-units": ("", 304),
}
CAP = 256
CONTEXTS = [1024, 8192, 16384, 262144]
BATCH, HEADS = 512, 8


def built(part: Part, machine: tuple[str, int], *, mla: bool, context: int, splits: int = 8) -> dict[str, Any]:
    """Build the backend for 8 heads a rank, as a model of 64 has on 8 GPUs."""
    settings = {"mla": mla, "context": context, "splits": splits, "heads": HEADS}
    described = {"arch": machine[0], "units": machine[1]}
    return dict(part.ask("build", machine=described, settings=settings, max_bs=BATCH))


def power(number: int) -> int:
    """Return the smallest power of two that is not smaller."""
    return 1 << (number - 1).bit_length()


def expected(machine: tuple[str, int], context: int, splits: int = 8) -> int:
    """Return the splits for MLA: by the compute units and by blocks of 32 tokens, and on gfx942 up to the cap."""
    most = max(splits, min(power(machine[1]), power(-(-context // 32))))
    return min(most, CAP) if machine[0] == "gfx942" else most


@pytest.mark.parametrize("context", CONTEXTS)
def test_gfx942_stays_at_the_cap(part: Part, record_property: Figures, context: int) -> None:
    """Whatever the context is; the graph's buffer for 512 requests and 8 heads takes 2 GiB at most, where it took 4."""
    said = built(part, MI300X, mla=True, context=context)
    record_property("splits", said["splits"])
    record_property("bytes", said["bytes"])
    assert said["splits"] == expected(MI300X, context), f"{said['splits']} KV splits at context {context}"
    assert said["logits"] == [BATCH, HEADS, said["splits"], 512]
    assert said["bytes"] <= 2 << 30, f"the logits of a graph take {said['bytes']} bytes"


@pytest.mark.parametrize("splits", [256, 512])
def test_a_configured_number_is_capped_too(part: Part, splits: int) -> None:
    """It makes the same buffer."""
    assert built(part, MI300X, mla=True, context=8192, splits=splits)["splits"] == CAP


@pytest.mark.parametrize("splits", [8, 512])
def test_without_mla_the_configured_number_stays(part: Part, splits: int) -> None:
    """Only MLA counts compute units."""
    assert built(part, MI300X, mla=False, context=131072, splits=splits)["splits"] == splits


@pytest.mark.parametrize("machine", OTHERS.values(), ids=OTHERS)
def test_other_machines_take_what_they_took(part: Part, record_property: Figures, machine: tuple[str, int]) -> None:
    """The fault is of gfx942 with more than 256 compute units alone."""
    for context in CONTEXTS:
        said = built(part, machine, mla=True, context=context)
        record_property("splits", said["splits"])
        assert said["splits"] == expected(machine, context), f"{said['splits']} KV splits at context {context}"
