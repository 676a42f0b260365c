"""Captured graphs: one reads index buffers as an attention kernel would, at the addresses it was captured with; the
other holds the index kernels themselves. Real CUDA or HIP graphs on a GPU, the same work called again on a CPU.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from sglang_aiter.child.kernels import Call


class Graph:
    """Work that was captured once and is replayed."""

    def __init__(self, work: Callable[[], None], *, gpu: bool) -> None:
        self._work = work
        self._graph = torch.cuda.CUDAGraph() if gpu else None
        if self._graph is not None:
            with _without_collection(), torch.cuda.graph(self._graph):
                work()

    def replay(self) -> None:
        """Do it again, and wait for it."""
        if self._graph is None:
            self._work()
        else:
            self._graph.replay()
            torch.cuda.synchronize(0)


class KernelGraph:
    """The target's own index kernels, captured on the tensors they were launched with, replayed on later contents."""

    def __init__(self, calls: Sequence[Call], *, gpu: bool) -> None:
        self._calls = list(calls)
        self._graph = Graph(self._launch, gpu=gpu)

    def fits(self, calls: Sequence[Call]) -> bool:
        """Whether later launches differ from the captured ones in nothing but what their tensors hold."""
        return [_shape(each) for each in calls] == [_shape(each) for each in self._calls]

    def replay(self, calls: Sequence[Call]) -> None:
        """Replay on the inputs of later launches, which `fits` them."""
        for captured, later in zip(self._calls, calls, strict=True):
            for mine, given in zip(captured.tensors, later.tensors, strict=True):
                if mine.data_ptr() != given.data_ptr():
                    mine.copy_(given)
        self._graph.replay()

    def _launch(self) -> None:
        for call in self._calls:
            call.again()


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """Let no garbage be collected: an older graph that is freed during a capture makes the capture fail."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _shape(call: Call) -> tuple[Any, ...]:
    values = (*call.args, *call.kwargs.values())
    plain = tuple(each.shape if isinstance(each, torch.Tensor) else each for each in values)
    return (call.kernel, call.grid, *plain)
