"""The multi-step draft backend lends each inner backend a row of its own buffer."""

from __future__ import annotations

import pytest
from sglang_aiter import expect
from sglang_aiter.drive import Driver
from sglang_aiter.setting import Setting, Step, batch
from sglang_aiter.target import Target
from sglang_aiter.trial import Trials

DRAFT, STEPS = 4, 3
GEOMETRIES = [(64, 1), (64, 16), (1000, 16), (200, 64)]
IDS = [f"ctx{context}-page{page}" for context, page in GEOMETRIES]


def drive(target: Target, context: int, page: int, attention: str) -> Driver:
    """Build the multi-step backend with its inner backends."""
    if page > 1 and not target.drafts_by_page():
        pytest.skip("this backend drafts at page size 1 alone")
    driver = Driver(target, server(context, page, attention), multi_step=True)
    if attention == "unified" and not driver.unified:
        pytest.skip("this backend has no unified attention")
    return driver


def server(context: int, page: int, attention: str) -> Setting:
    """Make the server that drafts."""
    return Setting(context=context, page=page, unified=attention == "unified", draft=DRAFT, steps=STEPS, max_bs=3)


def steps(trials: Trials) -> list[Step]:
    """Return what the cases make a server do."""
    return [
        Step("decode", server(context, page, "unified"), (batch([context // 2] * 3),), multi_step=True)
        for context, page in GEOMETRIES[1:3]
        if trials.target.drafts_by_page()
    ]


@pytest.mark.first
@pytest.mark.parametrize(("context", "page"), GEOMETRIES, ids=IDS)
@pytest.mark.parametrize("attention", ["ragged-kernel", "unified"])
def test_the_lent_row_is_used(target: Target, attention: str, context: int, page: int) -> None:
    """An inner backend takes the row that it was given as its token buffer, and no second one."""
    driver = drive(target, context, page, attention)
    outer = driver.buffer(expect.TOKENS)
    for step in range(STEPS - 1):
        inner = driver.buffer(expect.TOKENS, step + 1)
        assert expect.overlap(driver, inner, outer), f"step {step} has a token buffer of its own"
        assert inner.numel == outer.shape[1]


@pytest.mark.parametrize(("context", "page"), GEOMETRIES[1:3], ids=IDS[1:3])
@pytest.mark.parametrize("phase", ["capture", "replay"])
def test_page_tables_lie_outside_the_lent_rows(
    target: Target, record_property: expect.Figures, phase: str, context: int, page: int
) -> None:
    """The page table is made from the row's token indices: in the same memory it would overwrite what it reads."""
    driver = drive(target, context, page, "unified")
    requests = batch([context // 2] * 3)
    captured = driver.captured("decode", requests) if phase == "capture" else driver.capture("decode", 3)
    if phase == "replay":
        driver.replay("decode", requests)
    expect.nothing_outside(driver, record_property, needed=sum(requests.lengths))
    begin, end = driver.span(driver.buffer(expect.TOKENS))
    for metadata in captured.now():
        if metadata.kv_indptr is not None:
            pytest.skip("this backend hands its draft steps token indices")
        start = metadata.start("kv_indices")
        assert start is None or not begin <= start < end, "the page table lies in the lent rows"
        expect.page_table_shape(driver, metadata.kv_indices, 3)
