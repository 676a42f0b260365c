"""What every suite expects of a driven backend, in assertions that a reviewer can act on.

`Figures` is pytest's `record_property`: what a case measured goes into the report whether it passes or fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from sglang_aiter import reference
from sglang_aiter.drive import Batch, Driver
from sglang_aiter.server import EXTRA_COLUMNS

Figures = Callable[[str, object], None]
TOKENS = "cuda_graph_kv_indices"


def nothing_outside(driver: Driver, figures: Figures, *, needed: int) -> None:
    """Expect every graph buffer to hold what was written to it. `needed` is the number of token indices."""
    spills = driver.spills()
    worst = max(spills, key=lambda spill: (spill.past_end + spill.before_start, TOKENS in spill.buffer))
    figures("buffer", worst.buffer)
    figures("numel", worst.numel)
    figures("needed", needed)
    figures("past_end", worst.past_end)
    written = [str(spill) for spill in spills if spill.past_end or spill.before_start]
    assert not written, "; ".join(written)


def token_indices(driver: Driver, metadata: Any, requests: Batch, lengths: Sequence[int]) -> None:
    """Expect one index a token, at the place that `kv_indptr` says, for as much as the buffer holds."""
    starts = metadata.kv_indptr[: requests.size + 1].cpu().to(torch.int64)
    expected_starts = reference.indptr(lengths)
    assert torch.equal(starts, expected_starts), f"kv_indptr is {starts.tolist()}, expected {expected_starts.tolist()}"
    assert metadata.kv_indices.dtype == torch.int32, f"kv_indices is {metadata.kv_indices.dtype}; kernels read int32"
    held = metadata.kv_indices.flatten().cpu()
    expected = reference.token_indices(driver.req_to_token, requests.rows, lengths).cpu()[: held.numel()]
    wrong = int((held[: expected.numel()] != expected).sum())
    assert wrong == 0, f"{wrong} of {expected.numel()} token indices are wrong"


def query_starts(metadata: Any, requests: Batch) -> None:
    """Expect one rising start for each request's queries, and their end, where the path makes them."""
    starts = metadata.qo_indptr
    if starts is None:
        return
    assert starts.numel() == requests.size + 1, f"qo_indptr has {starts.numel()} entries for {requests.size} requests"
    assert bool((starts[1:] >= starts[:-1]).all()), f"qo_indptr does not rise: {starts.tolist()}"


def page_table(driver: Driver, metadata: Any, requests: Batch, lengths: Sequence[int]) -> None:
    """Expect one page number a page in each request's row."""
    rows = reference.page_table(driver.req_to_token, requests.rows, lengths, driver.setting.page)
    for place, expected in enumerate(rows):
        held = metadata.kv_indices[place, : expected.numel()].to(expected.dtype)
        wrong = int((held != expected).sum())
        assert wrong == 0, f"{wrong} of {expected.numel()} page numbers of request {place} are wrong"


def page_table_shape(driver: Driver, table: torch.Tensor, rows: int) -> None:
    """Expect int32, a row a request, and rows of one sequence's pages: no wider than the token pool's own rows."""
    setting = driver.setting
    widest = -(-(setting.context + EXTRA_COLUMNS + (setting.draft or 0) + (setting.steps or 0)) // setting.page)
    assert table.dtype == torch.int32, f"the page table is {table.dtype}; the attention kernel reads int32"
    assert table.dim() == 2, f"the page table is {tuple(table.shape)}"
    assert table.shape[0] >= rows, f"the page table is {tuple(table.shape)} for {rows} requests"
    assert setting.blocks <= table.shape[1] <= widest, f"a row has {table.shape[1]} entries for {setting.blocks} pages"
    assert table.stride(1) == 1, "the entries of a row are not next to each other"
