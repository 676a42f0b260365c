"""Steps that are run without a graph: the scratch buffer they share, and what their attention kernels are given."""

from __future__ import annotations

import pytest
import torch
from isolated.errors import HarnessError
from sglang_aiter import expect
from sglang_aiter.draw import Path
from sglang_aiter.drive import Driver
from sglang_aiter.setting import Setting, Step, batch
from sglang_aiter.target import Target
from sglang_aiter.trial import Trials

DRAFT, STEPS = 4, 3
PATHS = [
    Path("decode"),
    Path("decode", mla=True),
    Path("decode", unified=True),
    Path("decode", unified=True, window=True),
    Path("target_verify"),
    Path("target_verify", mla=True),
    Path("target_verify", unified=True),
    Path("target_verify", unified=True, window=True),
    Path("draft_extend_v2", mla=True),
]
DRAFTING = {
    "ragged-kernel": Path("decode", steps=STEPS),
    "unified": Path("decode", steps=STEPS, unified=True),
    "unified-window": Path("decode", steps=STEPS, unified=True, window=True),
}
PAGES = [1, 48, 128]
BATCHES = [[7], [196, 1, 18], [196, 7, 196, 10], [7, 2]]
"""Small ones after large ones and the other way round: the scratch buffer is kept from step to step, and outgrown.

The longest sequences have two lengths, as a kernel is compiled for each.
"""


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("path", PATHS, ids=str)
def test_attention_reads_each_sequence(target: Target, path: Path, page: int) -> None:
    """The kernel is given every token of each sequence and no other, by page, last-page length and longest sequence."""
    if not target.supports(path.mode, plain=path.plain):
        pytest.skip(f"this backend has no {path.mode}")
    driver = Driver(target, server(path, page), graph=False)
    if path.unified and not driver.unified:
        pytest.skip("this backend has no unified attention")
    for lengths in BATCHES:
        step(driver, path, lengths)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("attention", DRAFTING)
def test_drafting_reads_each_sequence(target: Target, attention: str, page: int) -> None:
    """Each step of a backend that drafts several tokens has the tokens that the steps before it have drafted."""
    if page > 1 and not target.drafts_by_page():
        pytest.skip("this backend drafts at page size 1 alone")
    path = DRAFTING[attention]
    driver = Driver(target, server(path, page), multi_step=True, graph=False)
    if path.unified and not driver.unified:
        pytest.skip("this backend has no unified attention")
    if path.window and not driver.window:
        pytest.skip("this backend has no pool of sliding-window layers")
    for lengths in BATCHES:
        requests = batch(lengths)
        for step, metadata in enumerate(driver.eager("decode", requests), 1):
            expect.indices(driver, metadata, requests, [length + step for length in lengths])


def steps(trials: Trials) -> list[Step]:
    """Return what the cases make a server do."""
    batches = tuple(map(batch, BATCHES))
    paths = [path for path in PATHS if trials.target.supports(path.mode, plain=path.plain)]
    pages = PAGES if trials.target.drafts_by_page() else PAGES[:1]
    return [Step(path.mode, server(path, page), batches, graph=False) for path in paths for page in PAGES] + [
        Step("decode", server(path, page), batches, multi_step=True, graph=False)
        for path in DRAFTING.values()
        for page in pages
    ]


def server(path: Path, page: int) -> Setting:
    """Make the server that a path is one of."""
    draft, drafts = (DRAFT, STEPS) if path.speculative else (None, None)
    return Setting(
        context=200, page=page, mla=path.mla, unified=path.unified, window=path.window, draft=draft, steps=drafts
    )


def step(driver: Driver, path: Path, lengths: list[int]) -> None:
    """Prepare one batch and run its attention, up to the kernel."""
    requests = batch(lengths)
    drafts = DRAFT if path.mode == "target_verify" else 0
    try:
        (metadata,) = driver.eager(path.mode, requests)
        layers, unseen = driver.attend(path.mode)
        if unseen:
            raise HarnessError(unseen)
    except HarnessError as limit:
        pytest.skip(f"this backend's step cannot be run here: {limit}")
    held = [length + (drafts if path.mla or metadata.unified else 0) for length in lengths]
    if metadata.unified:
        expect.page_table(driver, metadata, requests, held)
    elif metadata.kv_indices is not None and metadata.kv_indices.dtype == torch.int32:
        expect.token_indices(driver, metadata, requests, held)
    expect.query_starts(metadata, requests, {"decode": 1, "target_verify": DRAFT}.get(path.mode))
    longest = metadata.max_kv_len
    assert longest is None or longest >= max(lengths), f"max_kv_len is {longest}; a sequence has {max(lengths)} tokens"
    for window, seen in layers:
        if seen.kernel and (not window or seen.kernel == "unified_attention"):
            whole = path.mla or seen.kernel == "unified_attention"
            rows = [length + (drafts if whole else 0) for length in lengths]
            expect.attention_reads(driver, seen, requests, rows, window=window)
