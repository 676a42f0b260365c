"""Faults of upstream's own that this fix leaves: declared as known failures, and run to see that they still fail."""

from __future__ import annotations

import pytest
from sglang_aiter import expect
from sglang_aiter.drive import Driver
from sglang_aiter.setting import Setting, batch
from sglang_aiter.target import Target

DRAFT, STEPS = 4, 3


@pytest.mark.parametrize(("context", "page"), [(64, 1), (64, 16), (64, 64), (256, 16)])
def test_mla_verify_has_room_for_draft_tokens_at_full_context(
    target: Target, record_property: expect.Figures, context: int, page: int
) -> None:
    """MLA verify writes each sequence and its draft tokens; the buffer reserves none for the draft tokens."""
    driver = Driver(target, Setting(context=context, page=page, mla=True, draft=DRAFT, steps=STEPS))
    requests = batch([context] * 4)
    captured = driver.capture("target_verify", 4)
    driver.replay("target_verify", requests)
    rows = [context + DRAFT] * 4
    expect.nothing_outside(driver, record_property, needed=sum(rows))
    expect.token_indices(driver, captured.now()[0], requests, rows)


@pytest.mark.parametrize("phase", ["capture", "replay"])
def test_unified_decode_fills_its_table_at_page_size_one(target: Target, phase: str) -> None:
    """The code that fills the table runs for page sizes above 1 alone; at 1 the graph reads what was there before."""
    driver = Driver(target, Setting(page=1, unified=True))
    if not driver.unified:
        pytest.skip("this backend has no unified attention")
    requests = batch([64, 17, 1, 32])
    captured = driver.captured("decode", requests) if phase == "capture" else driver.capture("decode", 4)
    if phase == "replay":
        driver.replay("decode", requests)
    expect.page_table(driver, captured.now()[0], requests, requests.lengths)


@pytest.mark.parametrize(("context", "page"), [(64, 1), (64, 16), (64, 64)])
def test_unified_verify_has_room_for_draft_tokens_at_full_context(
    target: Target, record_property: expect.Figures, context: int, page: int
) -> None:
    """The kernel writes the draft tokens' pages too, without looking at the width of the table."""
    driver = Driver(target, Setting(context=context, page=page, unified=True, draft=DRAFT, steps=STEPS))
    if not driver.unified_verify:
        pytest.skip("this backend has no unified verify")
    requests = batch([context] * 4)
    captured = driver.capture("target_verify", 4)
    driver.replay("target_verify", requests)
    expect.nothing_outside(driver, record_property, needed=sum(requests.lengths))
    expect.page_table(driver, captured.now()[0], requests, [context + DRAFT] * 4)
