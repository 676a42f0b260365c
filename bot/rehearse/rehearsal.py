"""A rehearsal: every past backport of a repository made again, on as many processes as there are processors.

Owns the division of the work and its progress. Commits that are backports of one original go to one process, as what
is learned from one helps the next.
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

from bot.git.repository import Quarantined, Repository
from bot.git.untrusted_repository import opened_clone, refuse_shallow
from bot.pick.backport_index import BackportIndex
from bot.pick.strategy import PickCaches
from bot.rehearse.past_backports import Mined, Pair, mine
from bot.rehearse.record import Record, engine_version, record_directory
from bot.rehearse.replay import Replayed, replay

_CHUNK = 24
# Each process takes up to 120 MB; together they are to stay below 500.
_MOST_PROCESSES = 4

Progress = Callable[[int, int], None]
"""Is told how many pairs are done, of how many."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The replays, newest backport first, and what was mined."""

    repository: str
    mined: Mined
    replayed: tuple[Replayed, ...]
    picks_per_second: float


def rehearse(
    directory: Path,
    *,
    branches: str | None = None,
    limit: int | None = None,
    processes: int | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Rehearsal:
    """Replay the newest `limit` backports of a git directory or checkout, which is not written to.

    What an earlier run of the same engine replayed is taken from the record.

    Raises:
        GitError: there is no repository, its history is cut off, or it has no main line or no branch to look at.
    """
    record = Record(record_directory(directory), engine_version())
    try:
        with opened_clone(directory) as repository, repository.quarantined() as quarantine:
            refuse_shallow(repository, "its past backports cannot be found")
            quarantine.index_history()
            mined = mine(quarantine, branches)
            pairs = mined.pairs[:limit]
            known = record.read(pairs)
            todo = [pair for pair in pairs if pair not in known]
            progress(len(known), len(pairs))
            for done, seconds in _replay_all(quarantine, mined.pairs, todo, processes):
                record.add(done, seconds)
                known |= {each.pair: each for each in done}
                progress(len(known), len(pairs))
        ordered = tuple(known[pair] for pair in pairs)
        return Rehearsal(_name(directory), mined, ordered, record.speed())
    finally:
        record.close()


def _name(directory: Path) -> str:
    real = directory.resolve()
    return real.parent.name if real.name == ".git" else real.name.removesuffix(".git")


def _replay_all(
    quarantine: Quarantined, mined: Sequence[Pair], todo: Sequence[Pair], processes: int | None
) -> Iterator[tuple[list[Replayed], float]]:
    """Yield replays as they are done, with the time on the clock since the last."""
    if not todo:
        return
    workers = min(processes or os.cpu_count() or 1, _MOST_PROCESSES)
    context = get_context("spawn")  # a fork would share the open pipes to git
    arguments = (quarantine.git.directory, quarantine.scratch, tuple(mined))
    started = time.perf_counter()
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=arguments) as pool:
        with without_interrupts():
            waiting: list[Future[list[Replayed]]] = [pool.submit(_work, chunk) for chunk in _chunks(todo)]
        try:
            for future in as_completed(waiting):
                done = future.result()
                now = time.perf_counter()
                yield done, now - started
                started = now
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C, which a terminal sends to all, does not reach: this one ends them.

    They inherit that it is blocked. Here it comes when the block has ended.
    """
    resource_tracker.ensure_running()  # when it is started it unblocks the signal
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
        chunk += sorted(family)  # oldest first, as it was learned
        if len(chunk) >= _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


# --- in a process of its own ------------------------------------------------------------------------------------------

# A place for throw-away objects is made anew after so many chunks: to remove its directories takes longer than to pick.
_CHUNKS_IN_ONE = 8


@dataclass(slots=True)
class _Worker:
    """What a process works with: the repository, what is known of its backports, and a place to write to."""

    around: Quarantined
    index: BackportIndex
    place: ExitStack = field(default_factory=ExitStack)
    quarantine: Quarantined | None = None
    chunks: int = 0

    def replay(self, pairs: Sequence[Pair]) -> list[Replayed]:
        if self.quarantine is None or self.chunks % _CHUNKS_IN_ONE == 0:
            self.place.close()
            self.quarantine = self.place.enter_context(self.around.quarantined())
        self.chunks += 1
        return replay(self.quarantine, pairs, PickCaches(index=self.index))


_here: list[_Worker] = []


def _begin(directory: Path, scratch: Path, mined: Sequence[Pair]) -> None:
    repository = Repository.open(directory)
    index = BackportIndex(read_tips=set(repository.known_branches().values()))
    for pair in mined:
        # Only what landed on a branch: a pull request's own branch may hold the very answer, committed before it.
        index.add(pair.original, pair.backport, pair.date)
    worker = _Worker(Quarantined(repository, scratch), index)
    _here.append(worker)
    # Only this is called when a process of a pool ends.
    Finalize(None, worker.place.close, exitpriority=1)


def _work(pairs: Sequence[Pair]) -> list[Replayed]:
    return _here[0].replay(pairs)
