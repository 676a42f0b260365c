"""What the graph buffers cost and where they lie, on the target's own allocation without taking the memory."""

from __future__ import annotations

import pytest
import torch
from sglang_aiter import expect
from sglang_aiter.arena import Buffer
from sglang_aiter.drive import plan
from sglang_aiter.setting import Setting
from sglang_aiter.target import Target

pytestmark = pytest.mark.first  # it launches no kernel: the kernels of the other cases are compiled meanwhile
MIB = 1024 * 1024
SERVERS = [(6, 1000), (256, 131072)]
IDS = [f"{max_bs}x{context}" for max_bs, context in SERVERS]
KINDS = {
    "mha": Setting(),
    "mla": Setting(mla=True),
    "unified": Setting(unified=True),
    "window": Setting(unified=True, window=True),
    "draft": Setting(draft=4, steps=3),
    "mla-draft64": Setting(mla=True, draft=64, steps=63),
    "unified-draft": Setting(unified=True, draft=4, steps=3),
}


def setting(kind: str, max_bs: int, context: int, page: int, pool: int = 3) -> Setting:
    """Make a server whose pool holds more requests than its largest batch."""
    like = KINDS[kind]
    return Setting(
        max_bs=max_bs,
        pool=pool * max_bs,
        context=context,
        page=page,
        mla=like.mla,
        unified=like.unified,
        window=like.window,
        draft=like.draft,
        steps=like.steps,
    )


def most(buffer: Buffer, server: Setting) -> int:
    """Return the most elements that a buffer may have: what a row of the pool needs, a row and two pages to spare."""
    rows, row = server.max_bs + 1, max(server.columns, server.blocks * server.page) + 2 * server.page
    if buffer.name == expect.TOKENS:
        return rows * row
    if len(buffer.shape) == 2:
        return rows * (-(-server.columns // server.page) + 2)
    tokens = rows * max(server.draft or 1, (server.steps or 0) + 1)
    return tokens * row if "mask" in buffer.name and buffer.dtype == torch.uint8 else 4 * (rows + server.rows)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("page", [1, 16, 48, 256])
@pytest.mark.parametrize(("max_bs", "context"), SERVERS, ids=IDS)
def test_buffers_hold_every_token_and_little_more(
    target: Target, record_property: expect.Figures, max_bs: int, context: int, page: int, kind: str
) -> None:
    """One index a token at full context, and at most a row and two pages of each sequence besides."""
    server = setting(kind, max_bs, context, page)
    made = plan(target, server)
    tokens = next(buffer for buffer in made if buffer.name == expect.TOKENS)
    record_property("buffer", tokens.name)
    record_property("numel", tokens.numel)
    record_property("needed", max_bs * context)
    record_property("mib", f"{tokens.bytes / MIB:g}")
    assert tokens.numel >= max_bs * context, f"{tokens.numel} elements for {max_bs * context} tokens"
    for buffer in made:
        limit = most(buffer, server)
        assert buffer.numel <= limit, (
            f"{buffer.name} takes {buffer.bytes} bytes; {limit * buffer.dtype.itemsize} are enough"
        )


@pytest.mark.parametrize("kind", KINDS)
def test_a_larger_pool_costs_nothing(target: Target, kind: str) -> None:
    """Graphs run on a batch, however many requests the pool holds."""
    sizes = [sum(buffer.bytes for buffer in plan(target, setting(kind, 4, 1000, 16, pool))) for pool in (1, 50)]
    assert sizes[1] <= sizes[0] + 4 * 8 * 4 * 50, (
        f"{sizes[1]} bytes with a pool of 200 requests, {sizes[0]} with one of 4"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_index_buffers_lie_on_the_device(target: Target, kind: str) -> None:
    """A buffer on another device could not be read by a captured graph."""
    for buffer in plan(target, setting(kind, 5, 64, 16)):
        assert not expect.is_index(buffer) or buffer.device == "meta", f"{buffer.name} lies on {buffer.device}"
