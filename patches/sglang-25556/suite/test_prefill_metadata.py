"""The prefill kernel's plan is made for token indices, whatever the page size.

MLA keeps one index a token and `kv_indptr` counts tokens. A plan that is told of blocks of `page_size` tokens reads
each index as a block. aiter's planner is not here: what the target tells it is looked at. Whether the answers of a
model come out right needs a ROCm device and aiter, and is not shown by this.
"""

from __future__ import annotations

from typing import Any

import pytest
from sglang_aiter import expect
from sglang_aiter.drive import request
from sglang_aiter.setting import Setting
from sglang_aiter.target import Target

PAGES = [1, 2, 3, 4, 8, 16, 32, 64, 128, 256]
HEADS = [16, 128]
CACHES = ["model", "fp8"]


def told(target: Target, page: int, heads: int, cache: str) -> dict[str, Any]:
    """Return the arguments by name with which the target asks aiter's planner for a plan."""
    setting = Setting(page=page, mla=True, heads=heads, cache=cache, context=max(64, page))
    plan = target.ask("plan_prefill", setting=request(setting))
    if plan is None:
        pytest.skip("this backend plans no prefill for the head count at hand")
    assert plan, "the target asked for no plan"
    return dict(plan)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("heads", HEADS)
@pytest.mark.parametrize("cache", CACHES)
def test_an_index_stands_for_one_token(
    target: Target, record_property: expect.Figures, page: int, heads: int, cache: str
) -> None:
    """The plan's block is one token, because an index is."""
    size = told(target, page, heads, cache).get("block_size")
    record_property("block_size", size)
    assert size == 1, f"each index is read as a block of {size} tokens"


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("heads", HEADS)
@pytest.mark.parametrize("cache", CACHES)
def test_the_plan_does_not_depend_on_the_page_size(target: Target, page: int, heads: int, cache: str) -> None:
    """The same tokens give the same plan at any page size."""
    assert told(target, page, heads, cache) == told(target, 1, heads, cache)
