"""MLA verify writes each sequence and its draft tokens: the buffer holds both, and a batch beyond it is refused."""

from __future__ import annotations

import pytest
from sglang_aiter import expect
from sglang_aiter.drive import Driver, batch
from sglang_aiter.server import EXTRA_COLUMNS, Setting
from sglang_aiter.target import Target

DRAFTS = [2, 4, 8]
GEOMETRIES = [(64, 1), (64, 16), (64, 64), (1000, 16), (200, 64)]
IDS = [f"ctx{context}-page{page}" for context, page in GEOMETRIES]


def setting(context: int, page: int, draft: int, *, mla: bool = True) -> Setting:
    """Make a speculative server's settings."""
    return Setting(context=context, page=page, mla=mla, draft=draft, steps=draft - 1)


@pytest.mark.parametrize("draft", DRAFTS, ids=[f"draft{draft}" for draft in DRAFTS])
@pytest.mark.parametrize(("context", "page"), GEOMETRIES, ids=IDS)
@pytest.mark.parametrize("phase", ["capture", "replay"])
def test_draft_tokens_fit_at_full_context(
    target: Target, record_property: expect.Figures, phase: str, context: int, page: int, draft: int
) -> None:
    """The largest batch, every sequence as long as the context allows."""
    driver = Driver(target, setting(context, page, draft))
    requests = batch([context] * 4)
    (metadata,) = driver.capture("target_verify", 4)
    if phase == "capture":
        (metadata,) = driver.prepare("target_verify", requests, in_capture=True)
    else:
        driver.replay("target_verify", requests)
    rows = [context + draft] * 4
    expect.nothing_outside(driver, record_property, needed=sum(rows))
    expect.token_indices(driver, metadata, requests, rows)


@pytest.mark.parametrize(("context", "page"), [(64, 1), (64, 16)], ids=["ctx64-page1", "ctx64-page16"])
def test_a_batch_that_does_not_fit_is_refused(
    target: Target, record_property: expect.Figures, context: int, page: int
) -> None:
    """Rows may be longer than the context; what does not fit raises before the kernel writes it."""
    driver = Driver(target, setting(context, page, 4))
    driver.capture("target_verify", 4)
    with pytest.raises(Exception, match=r"(?i)capacity|too small|overflow|exceed|does not fit"):
        driver.replay("target_verify", batch([context + EXTRA_COLUMNS] * 4))
    expect.nothing_outside(driver, record_property, needed=0)


@pytest.mark.parametrize("page", [1, 16, 64])
def test_a_server_without_drafts_pays_nothing(target: Target, record_property: expect.Figures, page: int) -> None:
    """Without speculative decoding there are no draft tokens to hold."""
    numel = Driver(target, Setting(context=64, page=page, mla=True)).backend.cuda_graph_kv_indices.numel()
    record_property("numel", numel)
    assert numel <= 4 * 64
