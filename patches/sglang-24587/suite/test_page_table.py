"""Unified attention reads a table of page numbers: it has memory of its own, the right shape and the right content."""

from __future__ import annotations

import pytest
import torch
from sglang_aiter import expect
from sglang_aiter.arena import overlap
from sglang_aiter.drive import Batch, Driver, batch
from sglang_aiter.server import Setting
from sglang_aiter.target import Target

DRAFT, STEPS = 4, 3
MODES = ["decode", "target_verify"]
GEOMETRIES = [(64, 16), (64, 64), (1000, 16), (200, 64)]
IDS = [f"ctx{context}-page{page}" for context, page in GEOMETRIES]


def drive(target: Target, mode: str, context: int, page: int, *, lend: bool = False) -> Driver:
    """Build a unified backend, or skip where this one has none."""
    speculative = mode != "decode"
    setting = Setting(
        context=context,
        page=page,
        unified=True,
        draft=DRAFT if speculative else None,
        steps=STEPS if speculative else None,
    )
    driver = Driver(target, setting, lend=lend)
    if not getattr(driver.backend, "use_triton_unified_attention", False):
        pytest.skip("this backend has no unified attention")
    return driver


def run(driver: Driver, mode: str, phase: str, requests: Batch) -> object:
    """Capture on real sequences, or capture on placeholders and replay; return what the graph reads."""
    if phase == "capture":
        return driver.prepare(mode, requests, in_capture=True)[0]
    (captured,) = driver.capture(mode, requests.size)
    driver.replay(mode, requests)
    return captured


def batches(mode: str, context: int) -> dict[str, list[int]]:
    """Sequence lengths by name. Verify leaves room for its draft tokens, whose spill is a fault of its own."""
    limit = context - (DRAFT if mode == "target_verify" else 0)
    return {"full": [limit] * 4, "ragged": [1, limit // 4 - 1, limit]}


@pytest.mark.parametrize("kind", ["full", "ragged"])
@pytest.mark.parametrize(("context", "page"), GEOMETRIES, ids=IDS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("phase", ["capture", "replay"])
def test_table_is_filled_and_nothing_is_written_outside(
    target: Target, record_property: expect.Figures, phase: str, mode: str, context: int, page: int, kind: str
) -> None:
    """Page numbers of every request, in the memory that the captured graph reads."""
    driver = drive(target, mode, context, page)
    requests = batch(batches(mode, context)[kind])
    metadata = run(driver, mode, phase, requests)
    expect.nothing_outside(driver, record_property, needed=sum(requests.lengths))
    contents(driver, metadata, requests, mode)


def contents(driver: Driver, metadata: object, requests: Batch, mode: str) -> None:
    """Expect a page table, or token indices where this backend has no unified path for the mode."""
    if metadata.kv_indptr is not None:  # type: ignore[attr-defined]
        expect.token_indices(driver, metadata, requests, requests.lengths)
        return
    extra = DRAFT if mode == "target_verify" else 0
    expect.page_table(driver, metadata, requests, [length + extra for length in requests.lengths])


@pytest.mark.parametrize(("context", "page"), [(64, 1), *GEOMETRIES], ids=["ctx64-page1", *IDS])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("phase", ["capture", "replay"])
def test_table_has_its_own_memory_and_shape(
    target: Target, record_property: expect.Figures, phase: str, mode: str, context: int, page: int
) -> None:
    """Token indices and page numbers do not share memory: one would be read as the other."""
    driver = drive(target, mode, context, page)
    requests = batch([context // 2] * 4)
    metadata = driver.prepare(mode, requests, in_capture=phase == "capture")[0]
    if metadata.kv_indptr is not None:
        pytest.skip(f"this backend has no unified path for {mode}")
    table: torch.Tensor = metadata.kv_indices
    record_property("page_table", "x".join(map(str, table.shape)))
    expect.page_table_shape(driver, table, requests.size)
    assert not overlap(table, driver.backend.cuda_graph_kv_indices), "the page table lies in the token index buffer"


@pytest.mark.parametrize(("context", "page"), [(64, 1), *GEOMETRIES], ids=["ctx64-page1", *IDS])
@pytest.mark.parametrize("mode", MODES)
def test_replay_fills_the_table_that_was_captured(target: Target, mode: str, context: int, page: int) -> None:
    """A graph reads the address that was captured; a replay that prepares another table changes nothing for it."""
    driver = drive(target, mode, context, page)
    (captured,) = driver.capture(mode, 4)
    (replayed,) = driver.replay(mode, batch([context // 2] * 4))
    assert captured.kv_indices.data_ptr() == replayed.kv_indices.data_ptr()
    assert captured.kv_indices.stride() == replayed.kv_indices.stride()


@pytest.mark.parametrize(("context", "page"), GEOMETRIES, ids=IDS)
@pytest.mark.parametrize("mode", MODES)
def test_a_lent_token_buffer_leaves_the_table_its_own(
    target: Target, record_property: expect.Figures, mode: str, context: int, page: int
) -> None:
    """A backend that is given its token buffer has a page table of its own all the same."""
    driver = drive(target, mode, context, page, lend=True)
    requests = batch([context // 2] * 4)
    metadata = run(driver, mode, "replay", requests)
    expect.nothing_outside(driver, record_property, needed=sum(requests.lengths))
    contents(driver, metadata, requests, mode)
    if metadata.kv_indptr is None:  # type: ignore[attr-defined]
        assert not overlap(metadata.kv_indices, driver.backend.cuda_graph_kv_indices)  # type: ignore[attr-defined]
