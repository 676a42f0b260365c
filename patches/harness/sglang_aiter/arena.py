"""Buffers with canaries around them, so that a write past the end is counted and harms nothing.

Owns the replacement of a backend's buffers by views into larger allocations, and the count of what changed around them.
A buffer keeps its content, shape, strides and device; buffers that share memory go on sharing it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch

CANARY = 0xA5
FRONT = 4096
"""Bytes in front of a buffer; a multiple of what any allocator aligns to."""


@dataclass(frozen=True)
class Slot:
    """One tensor attribute of one object."""

    owner: Any
    attribute: str

    @property
    def tensor(self) -> torch.Tensor:
        """The tensor as it is now."""
        return getattr(self.owner, self.attribute)  # type: ignore[no-any-return]


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
    """One region of memory between two canaries, and the attributes that look into it."""

    def __init__(self, slots: list[Slot], start: int, end: int, room: int) -> None:
        self.name = " + ".join(sorted({slot.attribute for slot in slots}))
        self._bytes, first = end - start, slots[0].tensor
        self._element = first.element_size()
        size = -(-(FRONT + self._bytes + room) // 8) * 8
        self._memory = torch.full((size,), CANARY, dtype=torch.uint8, device=first.device)
        for slot in slots:
            setattr(slot.owner, slot.attribute, self._moved(slot.tensor, start))

    def spill(self) -> Spill:
        """Count the elements that changed around the buffer."""
        behind = self._memory[FRONT + self._bytes :]
        return Spill(
            self.name, self._bytes // self._element, self._changed(behind), self._changed(self._memory[:FRONT])
        )

    def _moved(self, tensor: torch.Tensor, start: int) -> torch.Tensor:
        """Make the same tensor, with the same content, on this memory."""
        offset = FRONT + _range(tensor)[0] - start
        typed = self._memory.view(tensor.dtype)
        view = torch.as_strided(typed, tensor.size(), tensor.stride(), offset // tensor.element_size())
        view.copy_(tensor)
        return view

    def _changed(self, canary: torch.Tensor) -> int:
        whole = canary[: canary.numel() // self._element * self._element].view(-1, self._element)
        return int((whole != CANARY).any(dim=1).sum())


class Guard:
    """Arenas around every buffer that a set of objects got since it was made."""

    def __init__(self, owners: Iterable[Any]) -> None:
        self._owners = list(owners)
        self._before = [{name: id(value) for name, value in vars(owner).items()} for owner in self._owners]
        self.arenas: list[Arena] = []
        self.empty: list[str] = []

    def close(self, room: int) -> None:
        """Put every tensor attribute that is new by now between canaries, with `room` bytes behind each."""
        slots = [
            Slot(owner, name)
            for owner, before in zip(self._owners, self._before, strict=True)
            for name, value in vars(owner).items()
            if isinstance(value, torch.Tensor) and before.get(name) != id(value) and value.device.type != "meta"
        ]
        for group, start, end in _overlapping(slots):
            self.arenas.append(Arena(group, start, end, room))
        self.empty = [slot.attribute for slot in slots if slot.tensor.numel() == 0]

    def spills(self) -> list[Spill]:
        """Say what was written around every buffer."""
        return [arena.spill() for arena in self.arenas]


def overlap(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors look into the same memory."""
    (start, end), (begin, finish) = _range(one), _range(other)
    return one.device == other.device and start < finish and begin < end


def _range(tensor: torch.Tensor) -> tuple[int, int]:
    """Return the addresses of a tensor's first byte and of the byte after its last."""
    if tensor.numel() == 0:
        return tensor.data_ptr(), tensor.data_ptr()
    last = sum((size - 1) * stride for size, stride in zip(tensor.size(), tensor.stride(), strict=True))
    return tensor.data_ptr(), tensor.data_ptr() + (last + 1) * tensor.element_size()


def _overlapping(slots: list[Slot]) -> list[tuple[list[Slot], int, int]]:
    """Group attributes whose memory overlaps. Neighbours in one allocation stay apart, each with its own canaries."""
    groups: list[tuple[list[Slot], int, int]] = []
    for slot in sorted(slots, key=lambda slot: _range(slot.tensor)):
        start, end = _range(slot.tensor)
        if groups and start < groups[-1][2] and slot.tensor.device == groups[-1][0][0].tensor.device:
            members, first, last = groups[-1]
            groups[-1] = ([*members, slot], first, max(last, end))
        else:
            groups.append(([slot], start, end))
    return groups
