"""Unified attention reads a table of page numbers: it has memory of its own, the right shape and the right content."""

from __future__ import annotations

import pytest
from sglang_aiter import expect
from sglang_aiter.drive import Captured, Driver, Metadata
from sglang_aiter.setting import Batch, Setting, Step, batch
from sglang_aiter.target import Target
from sglang_aiter.trial import Trials

DRAFT, STEPS = 4, 3
MODES = ["decode", "target_verify"]
GEOMETRIES = [(64, 16), (1000, 16), (200, 64)]
IDS = [f"ctx{context}-page{page}" for context, page in GEOMETRIES]


def drive(target: Target, mode: str, context: int, page: int, *, lend: bool = False) -> Driver:
    """Build a unified backend, or skip where this one has none."""
    driver = Driver(target, server(mode, context, page), lend=lend)
    if not driver.unified:
        pytest.skip("this backend has no unified attention")
    return driver


def server(mode: str, context: int, page: int) -> Setting:
    """Make the server that reads a page table."""
    draft, drafts = (None, None) if mode == "decode" else (DRAFT, STEPS)
    return Setting(context=context, page=page, unified=True, draft=draft, steps=drafts)


def steps(trials: Trials) -> list[Step]:
    """Return what the cases make a server do."""
    modes = [mode for mode in MODES if trials.target.supports(mode)]
    return [
        Step(mode, server(mode, context, page), (batch([context // 2] * 4),))
        for mode in modes
        for context, page in [(64, 1), *GEOMETRIES]
    ]


def run(driver: Driver, mode: str, phase: str, requests: Batch) -> Captured:
    """Capture on real sequences, or capture on placeholders and replay; return what the graph reads."""
    if phase == "capture":
        return driver.captured(mode, requests)
    captured = driver.capture(mode, requests.size)
    driver.replay(mode, requests)
    return captured


def contents(driver: Driver, metadata: Metadata, requests: Batch, mode: str) -> None:
    """Expect a page table, or token indices where this backend has no unified path for the mode."""
    extra = DRAFT if mode == "target_verify" and metadata.kv_indptr is None else 0
    expect.indices(driver, metadata, requests, [length + extra for length in requests.lengths])


@pytest.mark.parametrize(("context", "page"), GEOMETRIES, ids=IDS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("phase", ["capture", "replay"])
def test_table_is_filled_and_nothing_is_written_outside(
    target: Target, record_property: expect.Figures, phase: str, mode: str, context: int, page: int
) -> None:
    """Page numbers of every request, in the memory that the captured graph reads. Verify leaves room for its drafts."""
    driver = drive(target, mode, context, page)
    requests = batch([context - (DRAFT if mode == "target_verify" else 0)] * 4)
    captured = run(driver, mode, phase, requests)
    expect.nothing_outside(driver, record_property, needed=sum(requests.lengths))
    contents(driver, captured.now()[0], requests, mode)


@pytest.mark.parametrize(("context", "page"), [(64, 1), *GEOMETRIES], ids=["ctx64-page1", *IDS])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("phase", ["capture", "replay"])
def test_table_has_its_own_memory_and_shape(
    target: Target, record_property: expect.Figures, phase: str, mode: str, context: int, page: int
) -> None:
    """Token indices and page numbers do not share memory: one would be read as the other."""
    driver = drive(target, mode, context, page)
    (metadata,) = run(driver, mode, phase, batch([context // 2] * 4)).now()
    if metadata.kv_indptr is not None:
        pytest.skip(f"this backend has no unified path for {mode}")
    assert metadata.kv_indices is not None
    record_property("page_table", "x".join(map(str, metadata.kv_indices.shape)))
    expect.page_table_shape(driver, metadata.kv_indices, 4)
    start, (begin, end) = metadata.start("kv_indices"), driver.span(driver.buffer(expect.TOKENS))
    assert start is None or not begin <= start < end, "the page table lies in the token index buffer"
    expect.sound(driver)


@pytest.mark.parametrize(("context", "page"), [(64, 1), *GEOMETRIES], ids=["ctx64-page1", *IDS])
@pytest.mark.parametrize("mode", MODES)
def test_replay_fills_the_table_that_was_captured(target: Target, mode: str, context: int, page: int) -> None:
    """A graph reads the address that was captured; a replay that prepares another table changes nothing for it."""
    driver = drive(target, mode, context, page)
    captured = driver.capture(mode, 4)
    (replayed,) = driver.replay(mode, batch([context // 2] * 4))
    expect.same_addresses(captured.now()[0], replayed)


@pytest.mark.parametrize(("context", "page"), GEOMETRIES, ids=IDS)
@pytest.mark.parametrize("mode", MODES)
def test_a_lent_token_buffer_leaves_the_table_its_own(
    target: Target, record_property: expect.Figures, mode: str, context: int, page: int
) -> None:
    """A backend that is given its token buffer has a page table of its own all the same."""
    driver = drive(target, mode, context, page, lend=True)
    requests = batch([context // 2] * 4)
    (metadata,) = run(driver, mode, "replay", requests).now()
    expect.nothing_outside(driver, record_property, needed=sum(requests.lengths))
    contents(driver, metadata, requests, mode)
    expect.sound(driver)
