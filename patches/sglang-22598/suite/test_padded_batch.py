"""A graph's batch may be padded beyond the request pool: every index pointer is long enough for it.

Padding rows point at row 0 of the token pool and hold one token, as the server fills them.
"""

from __future__ import annotations

import pytest
from sglang_aiter import expect
from sglang_aiter.drive import Driver
from sglang_aiter.setting import Batch, Setting
from sglang_aiter.target import Target

POOL, DRAFT, STEPS = 2, 4, 3
PATHS = ["decode", "decode-mla", "target_verify", "target_verify-mla", "draft_extend", "draft_extend-mla"]
PATHS += ["draft_extend_v2", "draft_extend_v2-mla"]
PADDED = {2: "not-padded", 3: "padded-by-1", 8: "padded-by-6", 11: "padded-by-9", 35: "padded-by-33"}


@pytest.mark.parametrize("max_bs", PADDED, ids=PADDED.values())
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("phase", ["capture", "replay"])
def test_a_padded_batch_is_prepared(
    target: Target, record_property: expect.Figures, phase: str, path: str, max_bs: int
) -> None:
    """Page size 1, so that no other fault of the buffers is in the way."""
    mode, _, mla = path.partition("-")
    if not target.supports(mode):
        pytest.skip(f"this backend has no graph path for {mode}")
    speculative = mode != "decode"
    draft, steps = (DRAFT, STEPS) if speculative else (None, None)
    setting = Setting(max_bs=max_bs, pool=POOL, page=1, mla=bool(mla), draft=draft, steps=steps)
    driver = Driver(target, setting)
    requests = Batch((2, 1) + (0,) * (max_bs - POOL), (40, 17) + (1,) * (max_bs - POOL))
    captured = driver.captured(mode, requests) if phase == "capture" else driver.capture(mode, max_bs)
    if phase == "replay":
        driver.replay(mode, requests)
    extra = DRAFT if path == "target_verify-mla" else 0
    rows = [length + extra for length in requests.lengths]
    expect.nothing_outside(driver, record_property, needed=sum(rows))
    (metadata,) = captured.now()
    expect.token_indices(driver, metadata, requests, rows)
    expect.query_starts(metadata, requests, None)
    expect.sound(driver)
