"""Has the trees of a proof written while a suite's process starts up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from bot.environment.temporary_folders import scratch_folder
from bot.proof.run_isolated import StartGate

_START_SECONDS = 5.0
"""How long the trees are not begun for the sake of a suite's process that does not come up."""


@contextmanager
def lay_out_in_background(
    lay_out: Callable[[], object] | None, *trees: Path
) -> Iterator[tuple[StartGate, Future[object]]]:
    """Have trees laid out meanwhile; yield the gate that opens when they are there, and how that ended."""
    trees_ready: Future[object] = Future()
    if lay_out is None:
        trees_ready.set_result(None)
        yield StartGate(), trees_ready
        return
    for tree in trees:
        tree.mkdir(parents=True, exist_ok=True)  # a container is started with its folders
    with scratch_folder("backport-turns-") as scratch, ThreadPoolExecutor(max_workers=1) as thread:
        first = StartGate(scratch / "begun")
        trees_ready = thread.submit(_lay_out_when_started, first, lay_out)
        try:
            yield first, trees_ready
        finally:
            first.process_started.set()  # where no process came up, the trees need not wait for it


def _lay_out_when_started(first: StartGate, lay_out: Callable[[], object]) -> None:
    """Start the suite's process first: that takes longest, and a formatter would hold the interpreter lock."""
    first.process_started.wait(_START_SECONDS)
    lay_out()
    first.open()
