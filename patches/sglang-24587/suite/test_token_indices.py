"""Every path that writes one index a token keeps inside its buffer and writes the right indices.

A path is captured on placeholder sequences, as a server does it, and then prepared for a replay on real ones, or it is
captured on the real ones. What is looked at after a replay is what the captured graph would read.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sglang_aiter import expect
from sglang_aiter.drive import Batch, Driver, batch
from sglang_aiter.server import Setting
from sglang_aiter.target import Target

DRAFT, STEPS = 4, 3


@dataclass(frozen=True)
class Path:
    """One forward mode; `slack` counts the draft tokens a row holds besides its sequence."""

    mode: str
    mla: bool
    slack: int = 0

    def __str__(self) -> str:
        return self.mode + ("-mla" if self.mla else "")


PATHS = [
    Path("decode", mla=False),
    Path("decode", mla=True),
    Path("target_verify", mla=False),
    Path("target_verify", mla=True, slack=DRAFT),
    Path("draft_extend", mla=False),
    Path("draft_extend", mla=True),
    Path("draft_extend_v2", mla=False),
    Path("draft_extend_v2", mla=True),
]
CASES = [
    ("capture", 64, 16, "full"),
    ("capture", 200, 64, "ragged"),
    ("replay", 64, 1, "full"),
    ("replay", 64, 16, "full"),
    ("replay", 64, 16, "ragged"),
    ("replay", 64, 64, "full"),
    ("replay", 1000, 16, "full"),
    ("replay", 1000, 16, "ragged"),
    ("replay", 200, 64, "full"),
]
IDS = [f"{phase}-ctx{context}-page{page}-{kind}" for phase, context, page, kind in CASES]


def lengths(kind: str, limit: int) -> list[int]:
    """Make sequence lengths up to `limit`: the largest batch at the limit, or a mixed one."""
    return [limit] * 4 if kind == "full" else [1, limit // 4 - 1, limit // 4 + 1, limit // 2]


def setting(path: Path, context: int, page: int) -> Setting:
    """Make the server's settings for a path."""
    speculative = path.mode != "decode"
    return Setting(
        context=context,
        page=page,
        mla=path.mla,
        draft=DRAFT if speculative else None,
        steps=STEPS if speculative else None,
    )


@pytest.mark.parametrize(("phase", "context", "page", "kind"), CASES, ids=IDS)
@pytest.mark.parametrize("path", PATHS, ids=str)
def test_writes_stay_inside_and_are_right(
    target: Target, record_property: expect.Figures, path: Path, phase: str, context: int, page: int, kind: str
) -> None:
    """One path, one geometry, one batch."""
    if not target.supports(path.mode):
        pytest.skip(f"this backend has no graph path for {path.mode}")
    driver = Driver(target, setting(path, context, page))
    requests = batch(lengths(kind, context - path.slack))
    if phase == "capture":
        (metadata,) = driver.prepare(path.mode, requests, in_capture=True)
    else:
        (metadata,) = driver.capture(path.mode, requests.size)
        driver.replay(path.mode, requests)
    check(driver, metadata, requests, path, record_property)


def check(driver: Driver, metadata: object, requests: Batch, path: Path, figures: expect.Figures) -> None:
    """Expect right indices, none of them outside."""
    rows = [length + path.slack for length in requests.lengths]
    expect.nothing_outside(driver, figures, needed=sum(rows))
    expect.token_indices(driver, metadata, requests, rows)
