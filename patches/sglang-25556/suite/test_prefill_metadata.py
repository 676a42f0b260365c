"""The prefill kernel's plan is made for token indices, whatever the page size.

MLA keeps one index a token and `kv_indptr` counts tokens. A plan that is told of blocks of `page_size` tokens reads
each index as a block. aiter's planner is not here: what the target tells it is looked at. Whether the answers of a
model come out right needs a ROCm device and aiter, and is not shown by this.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from sglang_aiter import expect
from sglang_aiter.server import Setting
from sglang_aiter.target import Target

PAGES = [1, 16, 64, 128, 256]


def told(target: Target, monkeypatch: pytest.MonkeyPatch, page: int) -> dict[str, Any]:
    """Return the arguments by name with which the target asks aiter's planner for a plan."""
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(target.module, "get_ps_metadata_v1", lambda *_tensors, **named: calls.append(named))
    backend = target.backend(Setting(page=page, mla=True))
    if getattr(backend, "fp8_prefill_num_head", 1) is None:
        pytest.skip("this backend plans no prefill for the head count at hand")
    lengths = torch.tensor([33, 64], dtype=torch.int32)
    starts = torch.tensor([0, 33, 97], dtype=torch.int32)
    empty = torch.empty(0, dtype=torch.int32)
    backend.make_mla_prefill_ps_meta_data(starts, starts, lengths, *[empty] * 6)
    (call,) = calls
    return call


@pytest.mark.parametrize("page", PAGES)
def test_an_index_stands_for_one_token(
    target: Target, monkeypatch: pytest.MonkeyPatch, record_property: expect.Figures, page: int
) -> None:
    """The plan's block is one token, because an index is."""
    size = told(target, monkeypatch, page)["block_size"]
    record_property("block_size", size)
    assert size == 1, f"each index is read as a block of {size} tokens"


@pytest.mark.parametrize("page", PAGES)
def test_the_plan_does_not_depend_on_the_page_size(target: Target, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    """The same tokens give the same plan at any page size."""
    assert told(target, monkeypatch, page) == told(target, monkeypatch, 1)
