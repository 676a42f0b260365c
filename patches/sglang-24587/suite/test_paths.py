"""Every path through the graph buffers, on settings that are drawn anew for each commit.

One case a path: a server is captured with two batch sizes, which are replayed in turns on sequences of all lengths from
the whole pool. Looked at is what the captured graphs go on reading, what lies around the buffers, and what the
attention kernels are given. A failing case names the smallest setting that fails.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from isolated.errors import TargetFailed
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


KINDS = {
    "padded": (Setting(max_bs=12, pool=3, context=40, page=2), (12, 5)),
    "large": (Setting(max_bs=130, pool=100, context=40), (130,)),
}
"""Batches with more places than the pool has requests, as a captured size may have: a few, and many."""
EVERY = Setting(max_bs=12, pool=16, context=72), tuple(range(12, 0, -1))
"""A server and every batch size up to its largest."""
PADDED = [path for path in PATHS if not path.multi_step]
COUNTED = [path for path in PATHS if str(path) in QUICK]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", PADDED, ids=str)
def test_batches_are_replayed_as_servers_pad_them(
    trials: Trials, record_property: expect.Figures, path: Path, kind: str
) -> None:
    """A backend that does not take a padded batch, as some releases do not, says so when it is captured."""
    supported(trials, path)
    if kind == "large" and not trials.target.device.is_gpu:
        pytest.skip("runs on a GPU; the interpreter would take a minute")
    setting, sizes = KINDS[kind]
    try:
        trials.once(path, of_path(setting, path), sizes, record_property)
    except NotThere as missing:
        pytest.skip(str(missing))
    except TargetFailed as refused:
        if "expanded size" in str(refused):
            pytest.skip(f"this backend takes no batch that is larger than its pool: {refused}")
        raise


@pytest.mark.parametrize("path", COUNTED, ids=str)
def test_every_batch_size_is_replayed(trials: Trials, record_property: expect.Figures, path: Path) -> None:
    """Each batch size up to the largest is captured, as a server does it, largest first."""
    supported(trials, path)
    setting, sizes = EVERY
    try:
        trials.once(path, of_path(setting, path), sizes, record_property)
    except NotThere as missing:
        pytest.skip(str(missing))


def steps(trials: Trials) -> list[Step]:
    """Return what the cases make a server do."""
    drawn = [step for path in PATHS for step in trials.steps(path)]
    padded = [(path, *kind) for path in PADDED for kind in KINDS.values()]
    fixed = [*padded, *[(path, *EVERY) for path in COUNTED]]
    return drawn + [
        step for path, setting, sizes in fixed for step in trials.steps_of(path, of_path(setting, path), sizes)
    ]


def of_path(setting: Setting, path: Path) -> Setting:
    """Make a setting one of a path's."""
    draft = 4 if path.speculative else None
    drafts = path.steps or (3 if draft else None)
    return replace(setting, draft=draft, steps=drafts, mla=path.mla, unified=path.unified, window=path.window)


def supported(trials: Trials, path: Path) -> None:
    """Skip what this backend does not have."""
    if not trials.target.supports(path.mode, plain=path.plain):
        pytest.skip(f"this backend has no graph path for {path}")
