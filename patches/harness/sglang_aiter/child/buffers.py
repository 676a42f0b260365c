"""The tensors that a set of objects got since it was looked at, and their move into memory that the judge laid out.

A buffer keeps its content, shape and strides; buffers that share memory go on sharing it. What the judge is told of a
tensor is where it lies, so that the judge can look for itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from isolated.errors import HarnessError


@dataclass(frozen=True)
class Slot:
    """One tensor attribute of one object, by the object's place."""

    place: int
    owner: Any
    attribute: str

    @property
    def tensor(self) -> torch.Tensor:
        """The tensor as it is now."""
        return getattr(self.owner, self.attribute)  # type: ignore[no-any-return]


class Slots:
    """The tensor attributes that a set of objects got since this was made."""

    def __init__(self, owners: Iterable[Any]) -> None:
        self._owners = list(owners)
        self._before = [{name: id(value) for name, value in vars(owner).items()} for owner in self._owners]
        self.groups: list[tuple[list[Slot], int, int]] = []

    def describe(self) -> list[dict[str, Any]]:
        """Say of each what it is, and which of them overlap: those have the same group."""
        slots = [
            Slot(place, owner, name)
            for place, (owner, before) in enumerate(zip(self._owners, self._before, strict=True))
            for name, value in vars(owner).items()
            if isinstance(value, torch.Tensor) and before.get(name) != id(value)
        ]
        self.groups = _overlapping(slots)
        return [
            {"group": number, "owner": slot.place, "name": slot.attribute, "offset": _range(slot.tensor)[0] - start}
            | {"bytes": end - start}
            | plain(slot.tensor)
            for number, (members, start, end) in enumerate(self.groups)
            for slot in members
        ]

    def move(self, memory: torch.Tensor, starts: dict[str, int]) -> None:
        """Put each group where the judge wants it."""
        for number, (members, start, _) in enumerate(self.groups):
            if str(number) not in starts:
                continue
            for slot in members:
                tensor = slot.tensor
                if tensor.device.type != memory.device.type:
                    continue
                offset = starts[str(number)] + _range(tensor)[0] - start
                typed = memory.view(tensor.dtype)
                view = torch.as_strided(typed, tensor.size(), tensor.stride(), offset // tensor.element_size())
                view.copy_(tensor)
                setattr(slot.owner, slot.attribute, view)


def plain(tensor: torch.Tensor) -> dict[str, Any]:
    """Describe a tensor without its content."""
    return {
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": list(tensor.shape),
        "stride": list(tensor.stride()),
        "device": tensor.device.type,
    }


class Exports:
    """What the judge is shown: a tensor in the shared memory where it lies, any other one as a copy in a part of it."""

    def __init__(self, memory: torch.Tensor, start: int, end: int) -> None:
        self._memory, self._next, self._end = memory, start, end
        self._places: dict[Any, int] = {}

    def show(self, tensor: torch.Tensor, key: object = None) -> dict[str, Any]:
        """Say where a tensor is to be seen. With a `key` the copy's place is the same the next time."""
        offset = tensor.data_ptr() - self._memory.data_ptr()
        inside = 0 <= offset < self._memory.numel() and tensor.device == self._memory.device
        address = tensor.data_ptr()
        if not inside:
            tensor, offset = self._copied(tensor, key)
        return plain(tensor) | {"start": offset, "own": inside, "address": address}

    def room(self, tensor: torch.Tensor, key: object = None) -> tuple[torch.Tensor, int]:
        """Return a part that holds as much as a tensor does, and where it begins."""
        size = tensor.numel() * tensor.element_size()
        start = self._places.get((key, size)) if key is not None else None
        if start is None:
            start = self._next
            self._next += -(-size // 64) * 64
            if self._next > self._end:
                raise HarnessError(f"{size} bytes to look at do not fit the shared memory.")
            self._places[(key, size)] = start
        return self._memory[start : start + size].view(tensor.dtype).view(tensor.shape), start

    def _copied(self, tensor: torch.Tensor, key: object) -> tuple[torch.Tensor, int]:
        copy, start = self.room(tensor, key)
        copy.copy_(tensor)
        return copy, start


def _range(tensor: torch.Tensor) -> tuple[int, int]:
    """Return the addresses of a tensor's first byte and of the byte after its last."""
    if tensor.numel() == 0:
        return tensor.data_ptr(), tensor.data_ptr()
    last = sum((size - 1) * stride for size, stride in zip(tensor.size(), tensor.stride(), strict=True))
    return tensor.data_ptr(), tensor.data_ptr() + (last + 1) * tensor.element_size()


def _overlapping(slots: list[Slot]) -> list[tuple[list[Slot], int, int]]:
    """Group attributes whose memory overlaps. Neighbours in one allocation stay apart, each with its own canaries."""
    groups: list[tuple[list[Slot], int, int]] = []
    for slot in sorted(slots, key=lambda slot: (str(slot.tensor.device), *_range(slot.tensor))):
        start, end = _range(slot.tensor)
        same = bool(groups) and slot.tensor.device == groups[-1][0][0].tensor.device and end > start
        if same and slot.tensor.device.type != "meta" and start < groups[-1][2]:
            members, first, last = groups[-1]
            groups[-1] = ([*members, slot], first, max(last, end))
        else:
            groups.append(([slot], start, end))
    return groups
