"""What the graph buffers cost, measured on the target's own allocation without taking the memory."""

from __future__ import annotations

import pytest
import torch
from sglang_aiter import expect
from sglang_aiter.server import Setting
from sglang_aiter.target import Target

MIB = 1024 * 1024


def allocate(target: Target, setting: Setting) -> object:
    """Let the backend allocate its graph state on torch's meta device: shapes and devices without memory."""
    backend = target.backend(setting, planned=True)
    backend.init_cuda_graph_state(setting.max_bs, setting.max_bs * (setting.draft or 1))
    return backend


@pytest.mark.parametrize("mla", [False, True], ids=["mha", "mla"])
@pytest.mark.parametrize(
    ("max_bs", "context"), [(4, 64), (6, 1000), (256, 131072)], ids=["4x64", "6x1000", "256x131072"]
)
def test_page_size_one_keeps_the_buffer_as_it_was(
    target: Target, record_property: expect.Figures, max_bs: int, context: int, mla: bool
) -> None:
    """At page size 1 there was no fault: the buffer holds one index a token, and not one more."""
    numel = allocate(target, Setting(max_bs=max_bs, context=context, page=1, mla=mla)).cuda_graph_kv_indices.numel()  # type: ignore[attr-defined]
    record_property("numel", numel)
    assert numel == max_bs * context, f"{numel} elements for {max_bs} sequences of {context} tokens"


@pytest.mark.parametrize("unified", [False, True], ids=["ragged-kernel", "unified"])
@pytest.mark.parametrize("draft", [None, 4], ids=["no-draft", "draft4"])
@pytest.mark.parametrize("page", [16, 64])
@pytest.mark.parametrize(("max_bs", "context"), [(4, 1000), (256, 131072)], ids=["4x1000", "256x131072"])
def test_buffer_holds_every_token_and_little_more(
    target: Target,
    record_property: expect.Figures,
    max_bs: int,
    context: int,
    page: int,
    draft: int | None,
    unified: bool,
) -> None:
    """One index a token at full context, and at most two pages and the draft tokens besides for each sequence."""
    setting = Setting(max_bs=max_bs, context=context, page=page, draft=draft, steps=draft and 3, unified=unified)
    buffer = allocate(target, setting).cuda_graph_kv_indices  # type: ignore[attr-defined]
    record_property("buffer", "cuda_graph_kv_indices")
    record_property("numel", buffer.numel())
    record_property("needed", max_bs * context)
    record_property("mib", f"{buffer.numel() * buffer.element_size() / MIB:g}")
    assert buffer.numel() >= max_bs * context, f"{buffer.numel()} elements for {max_bs * context} tokens"
    assert buffer.numel() <= max_bs * (context + 2 * page + (draft or 0)), f"{buffer.numel()} elements is too much"


@pytest.mark.parametrize("page", [1, 16, 64])
def test_index_buffers_lie_on_the_device(target: Target, page: int) -> None:
    """A buffer on another device could not be read by a captured graph."""
    backend = allocate(target, Setting(page=page, unified=True))
    for name, value in vars(backend).items():
        if name.startswith("cuda_graph_") and isinstance(value, torch.Tensor) and value.dtype == torch.int32:
            assert value.device.type == "meta", f"{name} lies on {value.device}"
