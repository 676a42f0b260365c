"""Captured graphs: one reads index buffers as an attention kernel would, at the addresses it was captured with; the
other holds the index kernels themselves. Real CUDA or HIP graphs on a GPU, the same work called again on a CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from sglang_aiter.device import Device
from sglang_aiter.drive import Batch
from sglang_aiter.kernels import Call


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


class KernelGraph:
    """The target's own index kernels, captured on the tensors they were launched with, replayed on later contents."""

    def __init__(self, device: Device, calls: Sequence[Call]) -> None:
        self._calls = list(calls)
        self._graph = torch.cuda.CUDAGraph() if device.is_gpu else None
        if self._graph is not None:
            with torch.cuda.graph(self._graph):
                self._launch()

    def fits(self, calls: Sequence[Call]) -> bool:
        """Whether later launches differ from the captured ones in nothing but what their tensors hold."""
        return [_shape(each) for each in calls] == [_shape(each) for each in self._calls]

    def replay(self, calls: Sequence[Call]) -> None:
        """Replay on the inputs of later launches, which `fits` them."""
        for captured, later in zip(self._calls, calls, strict=True):
            for mine, given in zip(captured.tensors, later.tensors, strict=True):
                if mine.data_ptr() != given.data_ptr():
                    mine.copy_(given)
        if self._graph is None:
            self._launch()
        else:
            self._graph.replay()
            torch.cuda.synchronize()

    def _launch(self) -> None:
        for call in self._calls:
            call.again()


def _shape(call: Call) -> tuple[Any, ...]:
    values = (*call.args, *call.kwargs.values())
    plain = tuple(each.shape if isinstance(each, torch.Tensor) else each for each in values)
    return (call.kernel, call.grid, *plain)


class Seen:
    """What one replay read, under the names of the target's metadata."""

    def __init__(self, kv_indptr: torch.Tensor | None, kv_indices: torch.Tensor) -> None:
        self.kv_indptr, self.kv_indices = kv_indptr, kv_indices


def growing(limit: int, size: int) -> list[Batch]:
    """Make batches whose sequences grow to the limit together, each a little shorter than the one before it."""
    lengths = sorted({1, 2, limit // 7 + 1, limit // 3, limit // 2, limit - 1, limit})
    rows = tuple(range(size, 0, -1))
    return [Batch(rows, tuple(max(1, length - place) for place in range(size))) for length in lengths]
