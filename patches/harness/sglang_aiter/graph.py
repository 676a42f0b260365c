"""A captured graph that reads index buffers as an attention kernel would: at the addresses it was captured with.

On a GPU a real CUDA or HIP graph; on a CPU the same reads of the same tensors, replayed by a call.
"""

from __future__ import annotations

from typing import Any

import torch

from sglang_aiter.device import Device
from sglang_aiter.drive import Batch


class ReadingGraph:
    """Copies what the captured metadata points at into buffers of its own, at each replay."""

    def __init__(self, device: Device, metadata: Any) -> None:
        self._sources = [each for each in (metadata.kv_indptr, metadata.kv_indices) if each is not None]
        self._copies = [torch.empty_like(source) for source in self._sources]
        self._has_starts = metadata.kv_indptr is not None
        self._graph = torch.cuda.CUDAGraph() if device.is_gpu else None
        if self._graph is not None:
            with torch.cuda.graph(self._graph):
                self._read()

    def replay(self) -> Seen:
        """Replay, and return what was read."""
        if self._graph is None:
            self._read()
        else:
            self._graph.replay()
            torch.cuda.synchronize()
        starts = self._copies[0] if self._has_starts else None
        return Seen(starts, self._copies[-1])

    def _read(self) -> None:
        for source, copy in zip(self._sources, self._copies, strict=True):
            copy.copy_(source)


class Seen:
    """What one replay read, under the names of the target's metadata."""

    def __init__(self, kv_indptr: torch.Tensor | None, kv_indices: torch.Tensor) -> None:
        self.kv_indptr, self.kv_indices = kv_indptr, kv_indices


def growing(limit: int, size: int) -> list[Batch]:
    """Make batches whose sequences grow to the limit together, each a little shorter than the one before it."""
    lengths = sorted({1, 2, limit // 7 + 1, limit // 3, limit // 2, limit - 1, limit})
    rows = tuple(range(size, 0, -1))
    return [Batch(rows, tuple(max(1, length - place) for place in range(size))) for length in lengths]
