"""MLA verify writes each sequence and its draft tokens: the buffer holds both."""

from __future__ import annotations

import pytest
from sglang_aiter import expect
from sglang_aiter.draw import Path
from sglang_aiter.drive import Driver, plan
from sglang_aiter.setting import Setting, batch
from sglang_aiter.target import Target
from sglang_aiter.trial import Trials

DRAFTS = [1, 2, 4, 8, 9, 16, 33, 64]
GEOMETRIES = [(64, 1), (64, 16), (130, 128), (1000, 16), (200, 64), (300, 256)]
IDS = [f"ctx{context}-page{page}" for context, page in GEOMETRIES]


def setting(context: int, page: int, draft: int, *, mla: bool = True) -> Setting:
    """Make a speculative server's settings."""
    return Setting(context=context, page=page, mla=mla, draft=draft, steps=max(1, draft - 1))


@pytest.mark.parametrize("draft", DRAFTS, ids=[f"draft{draft}" for draft in DRAFTS])
@pytest.mark.parametrize(("context", "page"), GEOMETRIES, ids=IDS)
@pytest.mark.parametrize("phase", ["capture", "replay"])
def test_draft_tokens_fit_at_full_context(
    target: Target, record_property: expect.Figures, phase: str, context: int, page: int, draft: int
) -> None:
    """The largest batch, every sequence as long as the context allows."""
    driver = Driver(target, setting(context, page, draft))
    requests = batch([context] * 4)
    captured = driver.captured("target_verify", requests) if phase == "capture" else driver.capture("target_verify", 4)
    if phase == "replay":
        driver.replay("target_verify", requests)
    rows = [context + draft] * 4
    if phase == "capture" and expect.without_drafts(captured.now()[0], requests):
        pytest.skip("this backend captures verify without its draft tokens")
    expect.nothing_outside(driver, record_property, needed=sum(rows))
    expect.token_indices(driver, captured.now()[0], requests, rows)


def test_every_replay_reads_its_own_drafts(trials: Trials, record_property: expect.Figures) -> None:
    """Page sizes 1 to 256, batches to 17, drafts to 64, every head count: at full context, drawn for each commit."""
    trials.follow(Path("target_verify", mla=True), record_property, full=True)


@pytest.mark.parametrize("page", [1, 16, 64])
@pytest.mark.parametrize("draft", [None, 4, 64], ids=["no-draft", "draft4", "draft64"])
def test_drafts_cost_what_they_need(
    target: Target, record_property: expect.Figures, page: int, draft: int | None
) -> None:
    """No more than a row, and two pages and the draft tokens of each sequence besides."""
    server = Setting(max_bs=32, context=8192, page=page, mla=True, draft=draft, steps=draft and draft - 1)
    tokens = next(buffer for buffer in plan(target, server) if buffer.name == expect.TOKENS)
    record_property("numel", tokens.numel)
    most = 33 * (max(server.columns, server.blocks * page) + 2 * page)
    assert tokens.numel <= most, f"{tokens.name} takes {tokens.bytes} bytes; {4 * most} are enough"
