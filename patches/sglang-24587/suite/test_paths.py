"""Every path through the graph buffers, on settings that are drawn anew for each commit.

One case a path: a server is captured with two batch sizes, which are replayed in turns on sequences of all lengths from
the whole pool. Looked at is what the captured graphs go on reading, what lies around the buffers, and what the
attention kernels are given. A failing case names the smallest setting that fails.
"""

from __future__ import annotations

import pytest
from sglang_aiter import expect
from sglang_aiter.draw import Path
from sglang_aiter.setting import Setting, Step
from sglang_aiter.trial import NotThere, Trials

PATHS = [
    Path("decode"),
    Path("decode", mla=True),
    Path("decode", unified=True, without=(1,)),
    Path("decode", unified=True, window=True),
    Path("decode", steps=3),
    Path("decode", steps=3, unified=True),
    Path("decode", steps=3, unified=True, window=True),
    Path("target_verify"),
    Path("target_verify", mla=True),
    Path("target_verify", unified=True),
    Path("target_verify", unified=True, window=True),
    Path("draft_extend"),
    Path("draft_extend", mla=True),
    Path("draft_extend_v2"),
    Path("draft_extend_v2", mla=True),
]
QUICK = ("decode", "decode-unified", "decode-unified-window")
"""Paths on which every batch size is tried in a moment, also by the interpreter."""


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_every_replay_reads_its_own_sequences(trials: Trials, record_property: expect.Figures, path: Path) -> None:
    """Page sizes 1 to 256, batches to 17 and 24 times that in the pool, contexts past 1,024 pages, drafts to 64."""
    supported(trials, path)
    try:
        trials.follow(path, record_property)
    except NotThere as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("path", [path for path in PATHS if str(path) in QUICK], ids=str)
def test_every_batch_size_is_replayed(trials: Trials, record_property: expect.Figures, path: Path) -> None:
    """Each batch size up to the largest is captured, as a server does it, largest first."""
    supported(trials, path)
    draft = 4 if path.speculative else None
    setting = Setting(
        max_bs=12,
        pool=16,
        context=72,
        draft=draft,
        steps=path.steps or (3 if draft else None),
        mla=path.mla,
        unified=path.unified,
        window=path.window,
    )
    try:
        trials.once(path, setting, range(12, 0, -1), record_property)
    except NotThere as missing:
        pytest.skip(str(missing))


def steps(trials: Trials) -> list[Step]:
    """Return what the drawn settings make a server do."""
    return [step for path in PATHS for step in trials.steps(path)]


def supported(trials: Trials, path: Path) -> None:
    """Skip what this backend does not have."""
    if not trials.target.supports(path.mode, plain=path.plain):
        pytest.skip(f"this backend has no graph path for {path}")
