"""Rehearses: replays every past backport of a repository, in as many processes as there are processors.

The backports of one original are replayed by one process, because an earlier one helps with a later one.
"""

from __future__ import annotations

import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context, resource_tracker
from multiprocessing.util import Finalize
from pathlib import Path

from bot.git.repository import Quarantine, Repository
from bot.git.untrusted_repository import open_clone, refuse_shallow
from bot.pick.backport_index import BackportIndex
from bot.pick.caches import PickCaches
from bot.rehearse.past_backports import Pair, PastBackports, find_past_backports
from bot.rehearse.record import Record, engine_version, record_directory
from bot.rehearse.replay import ReplayResult, replay

_CHUNK = 24
# A process takes up to 120 MB, and a rehearsal should need less than 500 MB.
_MOST_PROCESSES = 4

Progress = Callable[[int, int], None]
"""Is called with the number of pairs that are done, and the number of all."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The replays, newest backport first, and the past backports that were found."""

    repository: str
    past_backports: PastBackports
    replays: tuple[ReplayResult, ...]
    picks_per_second: float


def rehearse(
    directory: Path,
    *,
    branches: str | None = None,
    limit: int | None = None,
    processes: int | None = None,
    progress: Progress = lambda _count, _total: None,
) -> Rehearsal:
    """Replay the newest `limit` backports of a git directory or checkout, which is not written to.

    Replays of an earlier run of the same engine are taken from the record.

    Raises:
        GitError: there is no repository, its history is cut off, or it has no main line or no release branch.
    """
    record = Record(record_directory(directory), engine_version())
    try:
        with open_clone(directory) as repository, repository.quarantine() as quarantine:
            refuse_shallow(repository, "its past backports cannot be found")
            quarantine.index_history()
            past_backports = find_past_backports(quarantine, branches)
            pairs = past_backports.pairs[:limit]
            replays = record.read(pairs)
            todo = [pair for pair in pairs if pair not in replays]
            progress(len(replays), len(pairs))
            for chunk, seconds in _replay_all(quarantine, past_backports.pairs, todo, processes):
                record.add(chunk, seconds)
                replays |= {replay.pair: replay for replay in chunk}
                progress(len(replays), len(pairs))
        in_order = tuple(replays[pair] for pair in pairs)
        return Rehearsal(_name(directory), past_backports, in_order, record.speed())
    finally:
        record.close()


def _name(directory: Path) -> str:
    real = directory.resolve()
    return real.parent.name if real.name == ".git" else real.name.removesuffix(".git")


def _replay_all(
    quarantine: Quarantine, pairs: Sequence[Pair], todo: Sequence[Pair], processes: int | None
) -> Iterator[tuple[list[ReplayResult], float]]:
    """Yield replays as they are done, with the wall-clock seconds since the last ones."""
    if not todo:
        return
    workers = min(processes or os.cpu_count() or 1, _MOST_PROCESSES)
    context = get_context("spawn")  # a fork would share the open pipes to git
    arguments = (quarantine.git.directory, quarantine.scratch, tuple(pairs))
    start = time.perf_counter()
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=arguments) as pool:
        with without_interrupts():
            futures: list[Future[list[ReplayResult]]] = [pool.submit(_replay_chunk, chunk) for chunk in _chunks(todo)]
        try:
            for future in as_completed(futures):
                replays = future.result()
                end = time.perf_counter()
                yield replays, end - start
                start = end
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Start processes that ignore Ctrl-C, which a terminal sends to all of them: this process ends the others.

    They inherit the blocked signal. This process gets it after the block.
    """
    resource_tracker.ensure_running()  # starting it would unblock the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _chunks(pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    families: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        families[pair.original].append(pair)
    chunk: list[Pair] = []
    for family in families.values():
        chunk += sorted(family)  # oldest first, because a replay may only use older backports
        if len(chunk) >= _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


# --- in a process of its own ------------------------------------------------------------------------------------------

# Removing a quarantine's directories takes longer than the picks of one chunk, so several chunks share one.
_CHUNKS_PER_QUARANTINE = 8


@dataclass(slots=True)
class _Worker:
    """The state of a process: the repository, the index of its backports, and the present quarantine."""

    repository: Quarantine
    index: BackportIndex
    stack: ExitStack = field(default_factory=ExitStack)
    quarantine: Quarantine | None = None
    chunks: int = 0

    def replay(self, pairs: Sequence[Pair]) -> list[ReplayResult]:
        if self.quarantine is None or self.chunks % _CHUNKS_PER_QUARANTINE == 0:
            self.stack.close()
            self.quarantine = self.stack.enter_context(self.repository.quarantine())
        self.chunks += 1
        return replay(self.quarantine, pairs, PickCaches(index=self.index))


_workers: list[_Worker] = []  # one in each process


def _start_worker(directory: Path, scratch: Path, pairs: Sequence[Pair]) -> None:
    repository = Repository.open(directory)
    index = BackportIndex(read_tips=set(repository.local_branches().values()))
    for pair in pairs:
        # Only commits that landed: the branch of the pull request may have the same commit with an earlier date.
        index.add(pair.original, pair.backport, pair.date)
    worker = _Worker(Quarantine(repository, scratch), index)
    _workers.append(worker)
    # A process of a pool runs finalizers when it ends, but no `atexit` handlers.
    Finalize(None, worker.stack.close, exitpriority=1)


def _replay_chunk(pairs: Sequence[Pair]) -> list[ReplayResult]:
    return _workers[0].replay(pairs)
