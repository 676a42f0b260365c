"""What GitPython costs beside our own way, for everything where one could take the other's place.

GitPython is used where it is no dearer; the docstrings of `bot.git.objects`, `bot.git.tree_cache` and `bot.git.log` say
why they keep a way of their own. make bench
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from io import BytesIO
from itertools import count
from pathlib import Path

import git
import pytest
from gitdb import IStream  # type: ignore[import-untyped]
from gitdb.db import LooseObjectDB  # type: ignore[import-untyped]

from bot.git.environment import environment
from bot.git.log import read_log
from bot.git.mirror import open_mirror
from bot.git.objects import ObjectReader, ObjectWriter, parse_commit
from bot.git.open import open_repo
from bot.git.repository import Repository
from bot.git.tree_cache import TreeCache
from bot.git.trees import list_files
from bot.models import Sha
from tests.bench.conftest import Field, cpu, show

ROUNDS = 5
OBJECTS = 1000


def measure(*ways: tuple[str, Callable[[], int]]) -> list[tuple[str, str]]:
    """Return a row for each way: microseconds for one of what it does, the best of some rounds taken by turns.

    The processor time includes that of processes which ended; a reader's process ends with its round.
    """
    best = {name: (float("inf"), float("inf")) for name, _ in ways}
    for _ in range(ROUNDS):
        for name, work in ways:
            processor, wall = cpu(), time.perf_counter()
            number = work()
            row = ((cpu() - processor) / number * 1e6, (time.perf_counter() - wall) / number * 1e6)
            best[name] = (min(best[name][0], row[0]), min(best[name][1], row[1]))
    return [
        (name, f"{processor:8,.0f} µs of processor, {wall:8,.0f} µs in all") for name, (processor, wall) in best.items()
    ]


@pytest.fixture
def repository(field: Field) -> Repository:
    """Return the repository of the benchmarks, without its quarantine."""
    return Repository.open(field.directory)


def test_a_process(repository: Repository) -> None:
    def bare() -> int:
        for _ in range(50):
            subprocess.run(
                repository.git.command(["rev-parse", "--git-dir"]), capture_output=True, check=True, env=environment()
            )
        return 50

    def runner() -> int:
        for _ in range(50):
            repository.git.run("rev-parse", "--git-dir")
        return 50

    def gitpython() -> int:
        plain = git.Git(repository.git.directory)
        for _ in range(50):
            plain.rev_parse("--git-dir")
        return 50

    show(
        "one git process", measure(("subprocess.run", bare), ("our runner", runner), ("GitPython's runner", gitpython))
    )


def test_opening(field: Field) -> None:
    def process() -> int:
        repo = open_repo(field.directory)
        for _ in range(20):
            repo.git.text("rev-parse", "--git-path", "objects")
        return 20

    def gitpython() -> int:
        for _ in range(20):
            open_repo(field.directory)
        return 20

    show("opening a repository", measure(("a process", process), ("GitPython (used)", gitpython)))


def test_reading_objects(repository: Repository, field: Field) -> None:
    names = [entry.sha for _, entry in list_files(repository, field.tips[0])][:OBJECTS]

    def singly() -> int:
        reader = ObjectReader(repository.git)
        for name in names:
            reader.read(name)
        reader.close()
        return len(names)

    def batched() -> int:
        reader = ObjectReader(repository.git)
        reader.read_many(names)
        reader.close()
        return len(names)

    def gitpython() -> int:
        plain = git.Git(repository.git.directory)
        for name in names:
            plain.get_object_data(name)
        plain.clear_cache()
        return len(names)

    rows = measure(("ours, many at once (used)", batched), ("ours, one by one", singly), ("GitPython", gitpython))
    show(f"reading {len(names)} objects, for one", rows)


def test_reading_commits(repository: Repository) -> None:
    names = 20 * [Sha(name) for name in repository.git.text("rev-list", "--all").split()]

    def ours() -> int:
        reader = ObjectReader(repository.git)
        for name in names:
            entry = reader.read(name)
            assert entry is not None
            parse_commit(name, entry[2])
        reader.close()
        return len(names)

    def gitpython() -> int:
        repo = open_repo(repository.git.directory)
        for name in names:
            commit = git.Commit(repo, bytes.fromhex(name))
            assert commit.tree.hexsha
            assert commit.author
            assert commit.message
        repo.close()
        return len(names)

    show("reading a commit", measure(("ours (used)", ours), ("GitPython", gitpython)))


def test_reading_trees(repository: Repository, field: Field) -> None:
    def ours() -> int:
        return _walk(TreeCache(ObjectReader(repository.git)), repository.commit(field.tips[0]).tree)

    def gitpython() -> int:
        repo = open_repo(repository.git.directory)
        number = sum(1 for _ in repo.commit(field.tips[0]).tree.traverse())
        repo.close()
        return number

    show("every entry of a commit's trees, for one", measure(("ours (used)", ours), ("GitPython", gitpython)))


def _walk(cache: TreeCache, tree: Sha) -> int:
    listing = cache.entries(tree).values()
    return len(listing) + sum(_walk(cache, Sha(sha.hex())) for mode, _, sha in listing if mode == b"40000")


def _numbered(write: Callable[[bytes], object], number: int) -> Callable[[], int]:
    numbers = count()

    def work() -> int:
        for _ in range(number):
            write(b"%d\n" % next(numbers))
        return number

    return work


def _stored(database: LooseObjectDB) -> Callable[[bytes], object]:
    return lambda content: database.store(IStream("blob", len(content), BytesIO(content)))


def test_writing_objects(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "gitdb").mkdir()
    writer = ObjectWriter(tmp_path / "ours")
    gitdb, odb = _stored(LooseObjectDB(str(tmp_path / "gitdb"))), _stored(open_repo(repository.git.directory).odb)
    ours = ("ours (used)", _numbered(lambda content: writer.write("blob", content), 200))
    show("writing an object", measure(ours, ("gitdb", _numbered(gitdb, 200)), ("GitPython", _numbered(odb, 20))))
    existing_blob = ("ours (used)", _numbered(lambda _: writer.write("blob", b"1\n"), 200))
    show("writing one that is there", measure(existing_blob, ("gitdb", _numbered(lambda _: gitdb(b"1\n"), 200))))


def test_listing_branches(repository: Repository) -> None:
    def ours() -> int:
        return int(bool(repository.local_branches()))

    def gitpython() -> int:
        return int(bool({head.name: head.commit.hexsha for head in repository.repo.heads}))

    show("all branches", measure(("one process (used)", ours), ("GitPython", gitpython)))
    repository.repo.close()


def test_reading_the_log(repository: Repository) -> None:
    def ours() -> int:
        return sum(1 for commit in read_log(repository, [Sha("HEAD")]))

    def gitpython() -> int:
        number = sum(1 for commit in repository.repo.iter_commits("HEAD") if (commit.message, commit.stats.files))
        repository.repo.close()
        return number

    show("a commit of the log with its paths", measure(("one process (used)", ours), ("GitPython", gitpython)))


def test_a_fetch_and_a_push(field: Field, tmp_path: Path) -> None:
    numbers = count()
    remote = Repository.open(field.directory)
    tip = remote.resolve("HEAD")
    assert tip is not None

    def processes() -> int:
        with open_mirror(field.directory.as_uri(), tmp_path / f"{next(numbers)}.git") as mirror:
            mirror.git.run("fetch", "--quiet", "--no-tags", "origin", f"+{tip}:refs/backport-bot/fetched/{tip}")
            mirror.git.run("push", "--porcelain", "origin", f"{tip}:refs/heads/bench/{next(numbers)}")
        return 1

    def gitpython() -> int:
        with open_mirror(field.directory.as_uri(), tmp_path / f"{next(numbers)}.git") as mirror:
            mirror.fetch([tip])
            mirror.push(tip, f"bench/{next(numbers)}", expected=None)
        return 1

    rows = measure(("two processes", processes), ("GitPython (used)", gitpython))
    show("a mirror, a fetch of its history and a push", rows)
    for name in remote.local_branches():
        if name.startswith("bench/"):
            remote.git.run("update-ref", "-d", f"refs/heads/{name}")
