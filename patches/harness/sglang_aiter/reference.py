"""What the index buffers should hold, in plain torch. Shares no code with the target."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def token_indices(req_to_token: torch.Tensor, rows: Sequence[int], lengths: Sequence[int]) -> torch.Tensor:
    """Token slots of each request's first `length` tokens, one request after the other."""
    return torch.cat([req_to_token[row, :length] for row, length in zip(rows, lengths, strict=True)])


def indptr(lengths: Sequence[int]) -> torch.Tensor:
    """Where each request's indices start, and after the last one where they end."""
    return torch.tensor([0, *lengths], dtype=torch.int64).cumsum(0)


def page_table(
    req_to_token: torch.Tensor,
    rows: Sequence[int],
    lengths: Sequence[int],
    page: int,
    mapping: torch.Tensor | None = None,
) -> list[torch.Tensor]:
    """Page numbers of each request's tokens, one entry a page; of the slots as a `mapping` numbers them, if given."""
    slots = [req_to_token[row, :length:page] for row, length in zip(rows, lengths, strict=True)]
    return [(slot if mapping is None else mapping[slot.long()]) // page for slot in slots]


def tokens_of(entries: torch.Tensor, block: int, count: int) -> torch.Tensor:
    """Token slots that a kernel reads which takes each entry for a block of so many tokens, up to `count` of them."""
    slots = entries.to(torch.int64).view(-1, 1) * block + torch.arange(block)
    return slots.view(-1)[:count]
