"""What the benchmarks pick: a project of our own making, or with BENCH_REPOSITORY any git directory.

The made one has 2,000 files and 50 release branches that drifted from main; every tenth original conflicts on them.
"""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.commands.targets import newest_first
from bot.git.repository import Quarantine, Repository
from bot.models import Sha
from tests.git.history import History

BRANCHES, ORIGINALS, FILES = 50, 20, 2000


@dataclass(frozen=True)
class Field:
    """A repository to pick in: commits of main, newest first, and the tips of its branches."""

    name: str
    directory: Path
    repository: Quarantine
    originals: tuple[Sha, ...]
    tips: tuple[Sha, ...]

    def pairs(self) -> Iterator[tuple[Sha, Sha]]:
        """Yield each original with a tip."""
        for index, original in enumerate(self.originals):
            yield original, self.tips[index % len(self.tips)]


@pytest.fixture(scope="session")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """Open the repository with its history indexed, as a mirror that was fetched into has it."""
    response = os.environ.get("BENCH_REPOSITORY")
    directory = Path(response) if response else _grow(tmp_path_factory.mktemp("bench") / "field.git")
    with Repository.open(directory) as opened, opened.quarantine() as quarantine:
        quarantine.index_history()
        tips, originals = _tips(opened), _originals(opened)
        yield Field(response or f"made, {FILES} files", directory, quarantine, originals, tips)


def _originals(repository: Repository) -> tuple[Sha, ...]:
    commits = repository.git.text("rev-list", "--no-merges", f"--max-count={ORIGINALS}", "HEAD").split()
    return tuple(Sha(sha) for sha in commits)


def _tips(repository: Repository) -> tuple[Sha, ...]:
    """Return 50 tips, the newest versions first; a repository with fewer branches gives some of them twice."""
    branches = repository.local_branches()
    head = repository.resolve("HEAD")
    matches = [branches[name] for name in newest_first(branches) if branches[name] != head]
    assert matches, "a repository with a branch besides the one that HEAD names"
    return tuple(matches[index % len(matches)] for index in range(BRANCHES))


def _grow(directory: Path) -> Path:
    history = History(directory)
    names = [f"part{number % 40}/module{number}.py" for number in range(FILES)]
    base = history.commit({name: _module(name, "base") for name in names})
    for number in range(BRANCHES):
        drift = {names[number]: _module(names[number], "drift"), names[0]: _module(names[0], "drift")}
        history.branch(f"release/1.{number}", history.commit(drift, base))
    for number in range(ORIGINALS):
        name = names[0] if number % 10 == 0 else names[-1 - number]
        base = history.commit({name: _module(name, f"original {number}")}, base)
    history.branch("main", base)
    return directory


def _module(name: str, value: str) -> str:
    return "".join(f"{name} {line} {value if line == 30 else ''}\n" for line in range(60))


def timed(call: Callable[[], object], times: int = 3) -> float:
    """Return the median seconds of a call."""
    taken_items = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken_items.append(time.perf_counter() - start)
    return statistics.median(taken_items)


def cpu() -> float:
    """Return the processor seconds of this process and of all that it started and that ended."""
    return sum(sum(resource.getrusage(process)[:2]) for process in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def show(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Print a table under a title."""
    width = max(len(name) for name, _ in rows)
    print(f"\n{title}", *(f"  {name:{width}}  {value}" for name, value in rows), sep="\n")  # noqa: T201
