"""Holds picks in partial mirrors against picks in whole ones, over past backports; every difference fails.

BENCH_REPOSITORY is a clone of a repository with release branches, which is not written to. BENCH_PAIRS picks are drawn
by BENCH_SEED. Each branch of the server is where it was before the backport landed, and main often where it was that
day. Four of five begin with the mirror that the one before left. With BENCH_FAULTS a third of the server's answers
break off: then an error is no difference, but the pick after it, on the mirror that the fault left, must be the same.
With BENCH_LOSSES the mirror loses some of its objects before each pick.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.errors import BackportError
from bot.git.mirror import open_mirror
from bot.git.repository import Repository
from bot.models import Candidate, Certainty, Conflict, MergeMethod, Sha, TargetPlan
from bot.pick import mainline_changes
from bot.pick.caches import PickCaches
from bot.pick.describe_conflict import Histories
from bot.pick.ladder import pick
from bot.rehearse.past_backports import Pair, find_past_backports
from tests.bench.conftest import show
from tests.git.history import COMMITTER

DICE = random.Random(os.environ.get("BENCH_SEED", "1"))  # noqa: S311 - a run that can be repeated
_NEW_MIRRORS = 0.2
# A third of the answers: none at all, or the first bytes of one.
_FAULTY = """#!{python}
import os, pathlib, random, subprocess, sys
if random.random() > 0.3 or not pathlib.Path("{directory}/faults").exists():
    os.execvp("git-upload-pack", ["git-upload-pack", *sys.argv[1:]])
server = subprocess.Popen(["git-upload-pack", *sys.argv[1:]], stdout=subprocess.PIPE)
os.write(1, os.read(server.stdout.fileno(), random.choice([1, 300, 6000, 40000])))
server.kill()
os.close(1)
sys.exit("early EOF")
"""


@dataclass(frozen=True)
class Stand:
    """The server, the whole mirror and the place of the partial ones, in one directory."""

    directory: Path
    main: str
    whole: Repository

    def git(self, *arguments: str, stdin: str = "") -> str:
        words = ["git", f"--git-dir={self.directory / 'server.git'}", *arguments]
        return subprocess.run(words, input=stdin, capture_output=True, check=True, text=True).stdout.strip()


@pytest.fixture
def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    # How much of a conflict is explained depends on the time that is left.
    monkeypatch.setattr(Histories, "seconds_left", 1000.0)
    monkeypatch.setattr(mainline_changes, "_SECONDS", 1000.0)
    monkeypatch.setattr(mainline_changes, "_ALL_SECONDS", 1000.0)
    source, server = Path(os.environ["BENCH_REPOSITORY"]).resolve(), tmp_path / "server.git"
    for directory in (server, tmp_path / "whole.git"):
        subprocess.run(["git", "init", "--quiet", "--bare", str(directory)], check=True)
        (directory / "objects/info/alternates").write_text(f"{source / 'objects'}\n")
    with Repository.open(source) as repository:
        tips, main = repository.local_branches(), repository.default_branch()
    with open_mirror(server.as_uri(), tmp_path / "whole.git") as whole:
        stand = Stand(tmp_path, f"refs/heads/{main}", whole)
        stand.git("update-ref", "--stdin", stdin="".join(f"create refs/heads/{n} {sha}\n" for n, sha in tips.items()))
        stand.git("symbolic-ref", "HEAD", stand.main)
        for key in ("allowFilter", "allowAnySHA1InWant"):
            stand.git("config", f"uploadpack.{key}", "true")
        (tmp_path / "upload-pack").write_text(_FAULTY.format(directory=tmp_path, python=sys.executable))
        (tmp_path / "upload-pack").chmod(0o755)
        yield stand


def test_a_partial_mirror_picks_as_a_whole_one(stand: Stand) -> None:
    most, counts = int(os.environ.get("BENCH_PAIRS", "50")), Counter[str]()
    with Repository.open(stand.directory / "server.git") as served:
        past = find_past_backports(served)
    families = _families(past.pairs)
    DICE.shuffle(families)
    main_tip = stand.git("rev-parse", stand.main)
    for family in families:
        if counts[Candidate.__name__] + counts[Conflict.__name__] >= most:
            break
        day = f"--before={max(pair.date for pair in family)}"
        that_day = stand.git("rev-list", "-1", "--first-parent", day, main_tip)
        tips = {f"refs/heads/{pair.branch}": pair.parent for pair in family}
        tips[stand.main] = Sha(DICE.choice([main_tip, that_day, that_day]))
        stand.git("update-ref", "--stdin", stdin="".join(f"update {ref} {sha}\n" for ref, sha in tips.items()))
        learned, explained = DICE.choice([(), (), past.branches]), DICE.choice([0, 0, 1, 3])
        counts.update(_compare(stand, family, learned, explained))
        print(dict(counts), flush=True)  # noqa: T201 - a run that is ended early has counted, too
    show("picks in partial mirrors against picks in whole ones", [(kind, str(n)) for kind, n in counts.items()])
    assert not [kind for kind in counts if kind.startswith("different")]


def _families(pairs: Sequence[Pair]) -> list[list[Pair]]:
    """Return the pairs of each original, one for each branch."""
    families: dict[Sha, dict[str, Pair]] = defaultdict(dict)
    for pair in sorted(pairs, reverse=True):
        families[pair.original].setdefault(pair.branch, pair)
    return [list(family.values()) for family in families.values()]


def _compare(stand: Stand, family: Sequence[Pair], learned: Sequence[str], explained: int) -> Iterator[str]:
    expected = _pick_all(stand.whole, family, learned, explained)
    faults, are_lost = stand.directory / "faults", bool(os.environ.get("BENCH_LOSSES"))
    with open_mirror(stand.whole.connection.url, stand.directory / "partial.git", partial=True) as partial:
        partial.git.run("config", "remote.origin.uploadpack", str(stand.directory / "upload-pack"))
        if os.environ.get("BENCH_FAULTS"):
            faults.touch()
        endings = _pick_all(partial, family, learned, explained, are_lost=are_lost)
        faults.unlink(missing_ok=True)
        broken = [ending for ending in endings if isinstance(ending, BackportError)]
        if broken and (are_lost or os.environ.get("BENCH_FAULTS")):
            yield from (f"broke off: {type(error).__name__}" for error in broken)
            endings = _pick_all(partial, family, learned, explained)
        is_whole = partial.partial is None or not partial.partial.is_partial
    if is_whole or DICE.random() < _NEW_MIRRORS:
        shutil.rmtree(stand.directory / "partial.git")
    for pair, ending, whole_ending in zip(family, endings, expected, strict=True):
        yield type(ending).__name__
        if ending != whole_ending:
            yield f"different: {pair}\n{ending!r}\n{whole_ending!r}\n"


def _lose(repository: Repository) -> None:
    """Take objects away that came from the remote: a whole pack, or a few of all."""
    repository.close()
    packs = sorted(Path(repository.git.directory, "objects/pack").glob("*.promisor"))
    for mark in DICE.sample(packs, min(len(packs), 2)):
        index = repository.git.text("show-index", stdin=mark.with_suffix(".idx").read_bytes())
        names = [line.split()[1] for line in index.splitlines()]
        kept = DICE.choice([[], [name for name in names if DICE.random() > 0.02]])
        if kept:
            listed = "".join(f"{name}\n" for name in kept).encode()
            new = repository.git.text("pack-objects", "--quiet", str(mark.with_name("pack")), stdin=listed)
            mark.with_name(f"pack-{new}.promisor").touch()
        if len(kept) < len(names):
            for file in mark.parent.glob(f"{mark.stem}.*"):
                file.unlink()


def _pick_all(
    repository: Repository, family: Sequence[Pair], learned: Sequence[str], explained: int, *, are_lost: bool = False
) -> list[object]:
    caches, endings, siblings = PickCaches(), list[object](), list[Candidate]()

    def learn() -> None:
        tips = repository.branches()
        repository.fetch(tips[name] for name in learned)
        caches.index.read(repository, [tips[name] for name in learned])

    caches.index.before_reading = learn
    for pair in family:
        plan = TargetPlan(
            branch=pair.branch,
            base_commit=pair.parent,
            backport_branch="backport",
            commits=(pair.original,),
            merge_method=MergeMethod.SQUASH,
        )
        if are_lost:
            _lose(repository)
        try:
            repository.fetch([pair.original, pair.parent])
            ending = pick(
                repository,
                plan,
                patches={},
                committer=COMMITTER,
                siblings=tuple(siblings),
                caches=caches,
                max_prerequisites=explained,
            )
            endings.append(ending)
        except BackportError as error:
            endings.append(error)
        siblings += [end for end in endings[-1:] if isinstance(end, Candidate) and end.certainty is Certainty.CERTAIN]
    return endings
