"""Memory that judge and child both see: a memfd on a CPU, one allocation shared by its IPC handle on a GPU.

The judge makes it and lays it out. The child can write to all of it, so nothing that a verdict rests on is kept in it:
neither expected values nor what was asked.
"""

from __future__ import annotations

import mmap
import os
from typing import Any

import torch

SIZE = 1 << 30
"""Bytes of address space; on a CPU only what is written to takes memory."""
_ALIGNED = 4096


class Region:
    """The judge's side. `bytes` is all of it; `place` hands out parts, and `clear` takes all of them back."""

    def __init__(self, device: str) -> None:
        self._gpu, self._next = device != "cpu", 0
        self.descriptor = -1
        if self._gpu:
            self.bytes = torch.empty(SIZE, dtype=torch.uint8, device=device)
            return
        self.descriptor = os.memfd_create("region")
        os.ftruncate(self.descriptor, SIZE)
        self.bytes = torch.frombuffer(mmap.mmap(self.descriptor, SIZE), dtype=torch.uint8)

    def handle(self) -> list[Any]:
        """Return what the child opens it by; on a CPU that is the descriptor."""
        if not self._gpu:
            return []
        parts = self.bytes.untyped_storage()._share_cuda_()
        return [part.hex() if isinstance(part, bytes) else part for part in parts]

    def place(self, size: int) -> int | None:
        """Hand out so many bytes; return where they begin, or None where there is no room left."""
        start = self._next
        if size < 0 or start + size > SIZE:
            return None
        self._next = -(-(start + size) // _ALIGNED) * _ALIGNED
        return start

    def clear(self) -> None:
        """Take everything back."""
        self._next = 0

    def view(self, dtype: torch.dtype, start: int, shape: list[int], stride: list[int]) -> torch.Tensor | None:
        """Look at a part as a tensor; None where that is not inside."""
        size = dtype.itemsize
        if start < 0 or start % size or min([*shape, *stride], default=0) < 0 or len(shape) != len(stride):
            return None
        last = sum((length - 1) * step for length, step in zip(shape, stride, strict=True)) if all(shape) else -1
        if start + (last + 1) * size > SIZE:
            return None
        return torch.as_strided(self.bytes.view(dtype), shape, stride, start // size)


def opened(handle: list[Any], descriptor: int) -> torch.Tensor:
    """Open a region from the child's side."""
    if not handle:
        return torch.frombuffer(mmap.mmap(descriptor, SIZE), dtype=torch.uint8)
    torch.cuda.init()  # torch opens no handle before
    parts = [bytes.fromhex(part) if isinstance(part, str) else part for part in handle]
    storage = torch.UntypedStorage._new_shared_cuda(*parts)
    return torch.empty(0, dtype=torch.uint8, device="cuda").set_(storage)  # type: ignore[call-overload]
