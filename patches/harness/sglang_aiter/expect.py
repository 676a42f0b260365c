"""What every suite expects of a driven backend, in assertions that a reviewer can act on.

`Figures` is pytest's `record_property`: what a case measured goes into the report whether it passes or fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise

import torch

from sglang_aiter import reference
from sglang_aiter.arena import Buffer
from sglang_aiter.drive import Attended, Driver, Metadata
from sglang_aiter.setting import Batch

Figures = Callable[[str, object], None]
TOKENS = "cuda_graph_kv_indices"
_INDICES = ("indices", "table", "indptr")


def nothing_outside(driver: Driver, figures: Figures, *, needed: int) -> None:
    """Expect every graph buffer to hold what was written to it. `needed` is the number of token indices."""
    spills = driver.spills()
    if not spills:
        return
    worst = max(spills, key=lambda spill: (spill.past_end + spill.before_start, TOKENS in spill.buffer))
    figures("buffer", worst.buffer)
    figures("numel", worst.numel)
    figures("needed", needed)
    figures("past_end", worst.past_end)
    written = [str(spill) for spill in spills if spill.past_end or spill.before_start]
    assert not written, "; ".join(written)


def indices(driver: Driver, metadata: Metadata, requests: Batch, lengths: Sequence[int]) -> None:
    """Expect what this metadata is for: a page table for unified attention, token indices for the other kernels."""
    (page_table if metadata.kv_indptr is None else token_indices)(driver, metadata, requests, lengths)


def token_indices(driver: Driver, metadata: Metadata, requests: Batch, lengths: Sequence[int]) -> None:
    """Expect one index a token, at the place that `kv_indptr` says, for as much as the buffer holds."""
    assert metadata.kv_indptr is not None, "there is no kv_indptr"
    assert metadata.kv_indices is not None, "there are no token indices"
    starts = metadata.kv_indptr[: requests.size + 1].cpu().to(torch.int64)
    expected_starts = reference.indptr(lengths)
    assert torch.equal(starts, expected_starts), f"kv_indptr is {starts.tolist()}, expected {expected_starts.tolist()}"
    assert metadata.kv_indices.dtype == torch.int32, f"kv_indices is {metadata.kv_indices.dtype}; kernels read int32"
    held = metadata.kv_indices.flatten().cpu()
    expected = reference.token_indices(driver.pool.table, requests.rows, lengths)
    if driver.has_graph:  # what is written past a guarded buffer is counted, and has been
        expected = expected[: held.numel()]
    assert held.numel() >= expected.numel(), f"kv_indices has {held.numel()} entries for {expected.numel()} tokens"
    wrong = int((held[: expected.numel()] != expected).sum())
    assert wrong == 0, f"{wrong} of {expected.numel()} token indices are wrong"


def without_drafts(metadata: Metadata, requests: Batch) -> bool:
    """Whether a capture prepared the sequences alone, as older releases do; their replays add the draft tokens."""
    starts = metadata.kv_indptr
    alone = reference.indptr(requests.lengths)
    return starts is not None and torch.equal(starts[: requests.size + 1].cpu().to(torch.int64), alone)


def query_starts(metadata: Metadata, requests: Batch, queries: int | None) -> None:
    """Expect one rising start for each request's queries, and their end, where the path makes them.

    `queries` is how many each request has, where all have the same.
    """
    starts = metadata.qo_indptr
    if starts is None:
        return
    assert starts.numel() > requests.size, f"qo_indptr has {starts.numel()} entries for {requests.size} requests"
    assert starts.dtype == torch.int32, f"qo_indptr is {starts.dtype}; kernels read int32"
    starts = starts[: requests.size + 1]
    assert bool((starts[1:] >= starts[:-1]).all()), f"qo_indptr does not rise: {starts.tolist()}"
    expected = [place * (queries or 0) for place in range(requests.size + 1)]
    assert queries is None or starts.tolist() == expected, f"qo_indptr is {starts.tolist()}, expected {expected}"


def page_table(driver: Driver, metadata: Metadata, requests: Batch, lengths: Sequence[int]) -> None:
    """Expect one page number a page in each request's row, also in the table of the sliding-window layers."""
    assert metadata.kv_indices is not None, "there is no page table"
    _pages(driver, metadata.kv_indices, requests, lengths, None)
    if driver.window:
        assert metadata.swa_page_table is not None, "the sliding-window layers have no page table"
        _pages(driver, metadata.swa_page_table, requests, lengths, driver.pool.mapping)


def _pages(
    driver: Driver, table: torch.Tensor, requests: Batch, lengths: Sequence[int], mapping: torch.Tensor | None
) -> None:
    what = "page numbers" if mapping is None else "page numbers of sliding-window layers"
    assert table.dim() == 2, f"the page table is {tuple(table.shape)}"
    assert table.dtype == torch.int32, f"the page table is {table.dtype}; the attention kernel reads int32"
    held = table.cpu()
    rows = reference.page_table(driver.pool.table, requests.rows, lengths, driver.setting.page, mapping)
    assert held.shape[0] >= len(rows), f"the page table has {held.shape[0]} rows for {len(rows)} requests"
    for place, expected in enumerate(rows):
        got = held[place, : expected.numel()].to(expected.dtype)
        assert got.numel() == expected.numel(), f"a row has {got.numel()} entries for {expected.numel()} pages"
        wrong = int((got != expected).sum())
        assert wrong == 0, f"{wrong} of {expected.numel()} {what} of request {place} are wrong"


def page_table_shape(driver: Driver, table: torch.Tensor | None, rows: int) -> None:
    """Expect int32, a row a request, and rows of one sequence's pages: no wider than the token pool's own rows."""
    setting = driver.setting
    widest = -(-setting.columns // setting.page) + 2
    assert table is not None, "there is no page table"
    assert table.dtype == torch.int32, f"the page table is {table.dtype}; the attention kernel reads int32"
    assert table.dim() == 2, f"the page table is {tuple(table.shape)}"
    assert table.shape[0] >= rows, f"the page table is {tuple(table.shape)} for {rows} requests"
    assert setting.blocks <= table.shape[1] <= widest, f"a row has {table.shape[1]} entries for {setting.blocks} pages"
    assert table.stride(1) == 1, "the entries of a row are not next to each other"


def sound(driver: Driver) -> None:
    """Expect that every index buffer lies on the device, and no two of one backend in the same memory."""
    named = [buffer for buffer in driver.buffers if is_index(buffer)]
    for buffer in named:
        assert buffer.device == driver.target.device.torch, f"{buffer.name} lies on {buffer.device}"
    for one, other in combinations(named, 2):
        if one.name != other.name and (one.owner == other.owner or TOKENS in (one.name, other.name)):
            assert not overlap(driver, one, other), f"{one.name} and {other.name} share memory"


def is_index(buffer: Buffer) -> bool:
    """Whether a buffer holds indices that a captured graph reads."""
    return buffer.dtype in (torch.int32, torch.int64) and any(word in buffer.name for word in _INDICES)


def overlap(driver: Driver, one: Buffer, other: Buffer) -> bool:
    """Whether two buffers look into the same memory."""
    if one.group != other.group or not one.numel or not other.numel:
        return False
    (start, end), (begin, finish) = driver.span(one), driver.span(other)
    return start < finish and begin < end


def same_addresses(captured: Metadata, replayed: Metadata) -> None:
    """Expect that a replay prepares the memory that the captured graph reads."""
    for name in ("kv_indices", "kv_indptr", "swa_page_table"):
        assert captured.same_memory(replayed, name), f"a replay prepares another {name} than its graph reads"


def attention_reads(
    driver: Driver, attended: Attended, requests: Batch, lengths: Sequence[int], *, window: bool = False
) -> None:
    """Expect that the attention kernel reads each sequence's tokens, page by page, and no other ones."""
    table = driver.pool.table
    mapping = driver.pool.mapping if window and driver.window else None
    block = attended.number("block")
    if attended.kernel == "unified_attention":
        read = _read_by_table(attended, lengths, block)
    else:
        read = _read_by_indices(attended, requests.size, block)
    for place, (row, length) in enumerate(zip(requests.rows, lengths, strict=True)):
        expected = table[row, :length].to(torch.int64)
        expected = expected if mapping is None else mapping[expected]
        got = read[place]
        assert got.numel() == length, f"{attended.kernel} reads {got.numel()} tokens of request {place}, not {length}"
        wrong = int((got != expected).sum())
        assert wrong == 0, f"{attended.kernel} reads {wrong} wrong tokens of the {length} of request {place}"


def _read_by_table(attended: Attended, lengths: Sequence[int], block: int) -> list[torch.Tensor]:
    pages, used = attended.tensor("block_table").cpu(), attended.tensor("seqused_k").cpu()[: len(lengths)]
    longest, most = max(lengths), attended.number("max_seqlen_k")
    assert used.tolist() == list(lengths), f"the kernel is told of {used.tolist()} tokens, expected {list(lengths)}"
    assert longest <= most, f"the kernel is told of at most {most} tokens; a sequence has {longest}"
    assert most <= pages.shape[1] * block, f"{most} tokens are said to be in {pages.shape[1]} pages of {block}"
    return [
        reference.tokens_of(pages[place, : -(-length // block)], block, length) for place, length in enumerate(lengths)
    ]


def _read_by_indices(attended: Attended, size: int, block: int) -> list[torch.Tensor]:
    starts, entries = attended.tensor("kv_indptr").cpu().tolist(), attended.tensor("kv_indices").cpu()
    last = [block] * size
    if attended.kernel in ("paged_attention_ragged", "mla_decode_fwd"):
        last = attended.tensor("kv_last_page_lens").cpu().tolist()
    assert len(last) >= size, f"there are {len(last)} last-page lengths for {size} requests"
    most = max(last[:size])
    assert most <= block, f"the kernel is told of {most} tokens in a last page that holds {block}"
    return [
        reference.tokens_of(entries[start:end], block, (end - start - 1) * block + last[place])
        for place, (start, end) in enumerate(pairwise(starts[: size + 1]))
    ]
