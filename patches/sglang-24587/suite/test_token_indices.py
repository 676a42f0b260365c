"""Every path that writes one index a token, at the sizes that its fault was measured at.

A path is captured on placeholder sequences, as a server does it, and then prepared for a replay on real ones, or it is
captured on the real ones. What is looked at after a replay is what the captured graph would read.
"""

from __future__ import annotations

import pytest
from sglang_aiter import expect
from sglang_aiter.draw import Path
from sglang_aiter.drive import Driver
from sglang_aiter.setting import Setting, batch
from sglang_aiter.target import Target

DRAFT, STEPS = 4, 3
MODES = ("decode", "target_verify", "draft_extend", "draft_extend_v2")
PATHS = [Path(mode, mla=mla) for mode in MODES for mla in (False, True)]
CASES = [
    ("capture", 200, 64, "ragged"),
    ("replay", 64, 1, "full"),
    ("replay", 64, 16, "full"),
    ("replay", 64, 16, "ragged"),
    ("replay", 1000, 16, "full"),
    ("replay", 200, 64, "full"),
]
IDS = [f"{phase}-ctx{context}-page{page}-{kind}" for phase, context, page, kind in CASES]


def lengths(kind: str, limit: int) -> list[int]:
    """Make sequence lengths up to `limit`: the largest batch at the limit, or a mixed one."""
    return [limit] * 4 if kind == "full" else [1, limit // 4 - 1, limit // 4 + 1, limit // 2]


@pytest.mark.parametrize(("phase", "context", "page", "kind"), CASES, ids=IDS)
@pytest.mark.parametrize("path", PATHS, ids=str)
def test_writes_stay_inside_and_are_right(
    target: Target, record_property: expect.Figures, path: Path, phase: str, context: int, page: int, kind: str
) -> None:
    """One path, one geometry, one batch."""
    if not target.supports(path.mode, plain=path.plain):
        pytest.skip(f"this backend has no graph path for {path.mode}")
    draft, steps = (DRAFT, STEPS) if path.speculative else (None, None)
    driver = Driver(target, Setting(context=context, page=page, mla=path.mla, draft=draft, steps=steps))
    slack = DRAFT if path.mode == "target_verify" and path.mla else 0
    requests = batch(lengths(kind, context - slack))
    if phase == "capture":
        captured = driver.captured(path.mode, requests)
    else:
        captured = driver.capture(path.mode, requests.size)
        driver.replay(path.mode, requests)
    rows = [length + slack for length in requests.lengths]
    expect.nothing_outside(driver, record_property, needed=sum(rows))
    (metadata,) = captured.now()
    if phase == "capture" and slack and expect.without_drafts(metadata, requests):
        pytest.skip("this backend captures verify without its draft tokens")
    expect.token_indices(driver, metadata, requests, rows)
