"""The token pool that the target reads, laid into the shared memory, and the judge's own copy of it."""

from __future__ import annotations

from functools import lru_cache

import torch
from isolated.errors import HarnessError
from isolated.memory import Region

from sglang_aiter.setting import Setting


class Pool:
    """Requests' rows of token slots: whole pages in shuffled order, so that no two slots and no two rows are alike.

    With sliding-window layers, `mapping` numbers the slots anew for these, also by whole pages.
    """

    def __init__(self, setting: Setting, region: Region) -> None:
        self.table = token_slots(setting.rows, setting.columns, setting.page)
        self.mapping = window_slots(setting.slots, setting.page) if setting.window else None
        self._region = region
        self.table_at, self.held = self._written(self.table)
        self.mapping_at = self._written(self.mapping)[0] if self.mapping is not None else 0

    def unharmed(self) -> bool:
        """Whether the target left the pool's table as it was."""
        return torch.equal(self.held.cpu(), self.table)

    def _written(self, content: torch.Tensor) -> tuple[int, torch.Tensor]:
        start = self._region.place(content.numel() * content.element_size())
        if start is None:
            raise HarnessError(f"A pool of {content.numel()} entries does not fit the shared memory.")
        held = self._region.view(content.dtype, start, list(content.shape), list(content.stride()))
        assert held is not None
        held.copy_(content)
        return start, held


@lru_cache(maxsize=32)
def token_slots(rows: int, columns: int, page: int) -> torch.Tensor:
    """Number the slots of every row: page numbers are shuffled, slots inside a page follow each other."""
    pages = -(-columns // page)
    shuffled = torch.randperm(rows * pages, generator=torch.Generator().manual_seed(24587)).view(rows, pages, 1) + 1
    slots = shuffled * page + torch.arange(page)
    return slots.view(rows, -1)[:, :columns].to(torch.int32).contiguous()


@lru_cache(maxsize=32)
def window_slots(slots: int, page: int) -> torch.Tensor:
    """Number every slot anew, by whole pages; page 0 stays what it is."""
    pages = slots // page
    shuffled = torch.randperm(pages - 1, generator=torch.Generator().manual_seed(27485)) + 1
    whole = torch.cat([torch.zeros(1, dtype=torch.int64), shuffled])
    return (whole.view(-1, 1) * page + torch.arange(page)).view(-1).to(torch.int64).contiguous()
