"""Plan and kernel agree on how many heads there are: one that takes 64 as they are has no plan that folds them to 16.

aiter plans in one of two ways. The way that is not fast, within a batch, folds 64 heads to 16; its kernel of 64 heads,
which it has since April 2026, does not. The fast way folds where the kernel does, also for 32 and 128 heads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from sglang_aiter.setting import Setting
from sglang_parts.part import Part

PART = "decode_plan"
Figures = Callable[[str, object], None]
WAYS = ["eager", "capture", "replay"]
FOLDED, AS_THE_KERNEL = {"fast_mode": False, "intra_batch_mode": True}, {"fast_mode": True, "intra_batch_mode": False}
PLANS = {
    ("fp8", 16): FOLDED,  # nothing is folded at 16, and this plan is quicker
    ("fp8", 32): AS_THE_KERNEL,
    ("fp8", 64): AS_THE_KERNEL,
    ("fp8", 128): AS_THE_KERNEL,
    ("model", 32): AS_THE_KERNEL,
    ("model", 64): AS_THE_KERNEL,
    ("model", 16): None,  # these two run a kernel that takes no plan
    ("model", 128): None,
}
IDS = [f"{cache}-{heads}" for cache, heads in PLANS]


def told(part: Part, cache: str, heads: int) -> dict[str, list[dict[str, Any]]]:
    """Return what the planner is told, by the way in which a step is run."""
    setting = Setting(mla=True, page=1, heads=heads, cache=cache, max_bs=2, context=16)
    return dict(part.ask("plan", setting=asdict(setting)))


@pytest.mark.parametrize(("cache", "heads"), PLANS, ids=IDS)
def test_the_plan_is_for_the_kernels_head_count(part: Part, record_property: Figures, cache: str, heads: int) -> None:
    """Without a graph, at capture and at replay, in what is planned and in the room that is made for it."""
    for way, orders in told(part, cache, heads).items():
        plans = [{name: value for name, value in order.items() if name != "what"} for order in orders]
        record_property(way, plans)
        expected = PLANS[cache, heads]
        if expected is None:
            assert not plans, f"{way}: a kernel that takes no plan is given one"
            continue
        assert plans, f"{way}: no plan is ordered"
        assert all(plan == expected for plan in plans), f"{way}: {plans} for {heads} heads, expected {expected}"
