"""Canaries around the target's buffers, so that a write past the end is counted and harms nothing.

Owns the layout of the shared memory. The count is made from the memory itself, never from what the child says of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from isolated.errors import HarnessError, TargetFailed
from isolated.memory import SIZE, Region

CANARY = 0xA5
_WORD = int.from_bytes(bytes([CANARY] * 8), "little", signed=True)
FRONT = 4096
"""Bytes in front of a buffer; a multiple of what any allocator aligns to."""
DTYPES = {str(dtype).removeprefix("torch."): dtype for dtype in (torch.int32, torch.int64, torch.uint8, torch.bool)}
DTYPES |= {
    str(dtype).removeprefix("torch."): dtype for dtype in (torch.float32, torch.bfloat16, torch.float16, torch.int8)
}


@dataclass(frozen=True)
class Buffer:
    """One tensor attribute of one of the target's objects, as the child described it. `offset` is from its arena."""

    owner: int
    name: str
    group: int
    offset: int
    dtype: torch.dtype
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    device: str

    @property
    def numel(self) -> int:
        """The number of elements."""
        count = 1
        for length in self.shape:
            count *= length
        return count

    @property
    def bytes(self) -> int:
        """Its size without gaps."""
        return self.numel * self.dtype.itemsize

    @classmethod
    def read(cls, said: dict[str, Any]) -> Buffer:
        """Read what the child said of one. Raises TargetFailed where that is no buffer."""
        try:
            shape, stride = tuple(map(int, said["shape"])), tuple(map(int, said["stride"]))
            where = int(said["owner"]), str(said["name"]), int(said["group"]), int(said["offset"])
            return cls(*where, DTYPES[said["dtype"]], shape, stride, str(said["device"]))
        except (KeyError, TypeError, ValueError) as wrong:
            raise HarnessError(f"The child described a buffer that the harness does not know: {wrong!r}.") from None


@dataclass(frozen=True)
class Spill:
    """What was written around one buffer, in elements of it."""

    buffer: str
    numel: int
    past_end: int
    before_start: int

    def __str__(self) -> str:
        written = [f"{self.past_end} elements past the end of"] if self.past_end else []
        written += [f"{self.before_start} elements before the start of"] if self.before_start else []
        return f"{' and '.join(written) or 'nothing outside'} {self.buffer} ({self.numel} elements)"


class Arena:
    """One region of memory between two canaries, and the buffers that look into it."""

    def __init__(self, region: Region, buffers: list[Buffer], size: int, room: int) -> None:
        self.name = " + ".join(sorted({buffer.name for buffer in buffers}))
        self._bytes, self._element = size, buffers[0].dtype.itemsize
        whole = -(-(FRONT + size + room) // 8) * 8
        start = region.place(whole)
        if start is None:
            raise TargetFailed(f"{self.name} takes {size} bytes; there are {SIZE} for all buffers together")
        self.start = start + FRONT
        self._memory = region.bytes[start : start + whole]
        self._memory.fill_(CANARY)

    @property
    def around(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The memory in front of the buffer, and behind it."""
        return self._memory[:FRONT], self._memory[FRONT + self._bytes :]

    def spill(self) -> Spill:
        """Count the elements that changed around the buffer."""
        front, behind = self.around
        return Spill(self.name, self._bytes // self._element, self._changed(behind), self._changed(front))

    def clean(self) -> Spill:
        """Return what `spill` does where nothing was touched."""
        return Spill(self.name, self._bytes // self._element, 0, 0)

    def _changed(self, canary: torch.Tensor) -> int:
        whole = canary[: canary.numel() // self._element * self._element].view(-1, self._element)
        return int((whole != CANARY).any(dim=1).sum())


class Watch:
    """All canaries, and what else must stay as it is: looked at in one go, as most often nothing has changed."""

    def __init__(self, held: Iterable[Arena], kept: torch.Tensor) -> None:
        parts = [part for arena in held for part in arena.around]
        size = sum(part.numel() for part in parts)
        self._parts = [*parts, torch.full((-size % 8,), CANARY, dtype=torch.uint8, device=kept.device)]
        self._kept, self._copy = kept, kept.clone()

    def touched(self) -> bool:
        """Whether any of it changed."""
        around = torch.cat(self._parts).view(torch.int64)
        return bool(((around != _WORD).any() | (self._kept != self._copy).any()).item())


def arenas(region: Region, said: list[dict[str, Any]], room: int) -> tuple[list[Buffer], dict[int, Arena]]:
    """Lay out what the child described, with `room` bytes behind each; return the buffers, and the arenas by group."""
    buffers = [Buffer.read(each) for each in said]
    sizes = {int(each["group"]): int(each["bytes"]) for each in said}
    laid: dict[int, Arena] = {}
    for group in sorted(sizes):
        members = [buffer for buffer in buffers if buffer.group == group and buffer.device != "meta"]
        if members and sizes[group] > 0:
            laid[group] = Arena(region, members, sizes[group], room)
    return buffers, laid
