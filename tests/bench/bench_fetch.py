"""What one backport fetches: by the bot, with a checkout of depth 2, and with a clone of both branches.

The remote is a server of git's on this machine, and every byte that it sends is counted. With BENCH_REPOSITORY and
BENCH_BRANCH it serves that git directory, and the originals are the newest commits of its default branch.
BENCH_ORIGINAL names the one that goes onto many branches.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.commands.targets import newest_first
from bot.git.diff_text import range_diff
from bot.git.merge_method import read_merge
from bot.git.mirror import open_mirror
from bot.git.repository import Repository
from bot.history.landed import find_landing_status
from bot.models import Candidate, Conflict, MergeMethod, Method, Sha, TargetPlan
from bot.pick.caches import PickCaches
from bot.pick.ladder import pick
from tests.bench.conftest import Field, show
from tests.git.history import COMMITTER

MIB = 1e6
"""Bytes of a megabyte, as in the aims."""
_COUNTER = """#!/bin/bash
git-upload-pack "$@" | tee >(wc -c >> {counts})
"""
_OPTIONS = ("-c", "gc.auto=0", "-c", "fetch.writeCommitGraph=false")


@dataclass(frozen=True)
class Remote:
    """A server on a git directory, with the program that counts what it sends."""

    directory: Path
    counter: Path
    counts: Path

    def sent(self) -> int:
        """Return the bytes sent so far; the last process may end after git does."""
        time.sleep(0.2)
        return sum(map(int, self.counts.read_text().split())) if self.counts.exists() else 0


@dataclass(frozen=True)
class Transfer:
    """What a way of doing it cost: bytes, seconds on the transfer alone, and seconds in all."""

    way: str
    bytes: int
    seconds: float
    in_all: float

    def row(self) -> tuple[str, str]:
        return self.way, f"{self.bytes / MIB:.2f} MB, {self.seconds:.1f} s of transfer, {self.in_all:.1f} s in all"


@pytest.fixture(scope="session")
def remote(field: Field, tmp_path_factory: pytest.TempPathFactory) -> Remote:
    """Serve the field's objects and branches, leaving out what it is asked to, as GitHub does."""
    scratch = tmp_path_factory.mktemp("remote")
    directory, counts, counter = scratch / "remote.git", scratch / "counts", scratch / "counter"
    _git("init", "--quiet", "--bare", str(directory))
    (directory / "objects/info/alternates").write_text(f"{field.directory.resolve() / 'objects'}\n")
    refs = _git("--git-dir", str(field.directory), "for-each-ref", "--format=create %(refname) %(objectname)")
    _git("--git-dir", str(directory), "update-ref", "--stdin", stdin=refs)
    head = _git("--git-dir", str(field.directory), "symbolic-ref", "HEAD").strip()
    _git("--git-dir", str(directory), "symbolic-ref", "HEAD", head)
    for key in ("allowFilter", "allowAnySHA1InWant"):
        _git("--git-dir", str(directory), "config", f"uploadpack.{key}", "true")
    counter.write_text(_COUNTER.format(counts=counts))
    counter.chmod(0o755)
    return Remote(directory, counter, counts)


def _git(*arguments: str, stdin: str = "") -> str:
    return subprocess.run(
        ["git", *arguments], input=stdin, capture_output=True, check=True, text=True, errors="surrogateescape"
    ).stdout


def _branch(field: Field) -> str:
    names = field.repository.local_branches()
    return os.environ.get("BENCH_BRANCH") or newest_first(names)[0]


def _endings(field: Field, branch: str) -> Iterator[tuple[Sha, object]]:
    tip = field.repository.local_branches()[branch]
    for original in field.originals:
        yield original, _pick(field.repository, original, branch, tip)


def _pick(repository: Repository, original: Sha, branch: str, tip: Sha, caches: PickCaches | None = None) -> object:
    plan = TargetPlan(
        branch=branch,
        base_commit=tip,
        backport_branch="backport",
        commits=(original,),
        merge_method=MergeMethod.SQUASH,
    )
    return pick(repository, plan, patches={}, committer=COMMITTER, caches=caches or PickCaches())


def _is_clean(ending: object) -> bool:
    return isinstance(ending, Candidate) and ending.method is Method.CHERRY_PICK


def _is_in_conflict(ending: object) -> bool:
    return isinstance(ending, Conflict) or (isinstance(ending, Candidate) and ending.method is Method.RESOLVED)


@pytest.mark.parametrize(("wanted", "most"), [(_is_clean, 1.0), (_is_in_conflict, 15.0)], ids=["clean", "in conflict"])
def test_one_backport(
    wanted: Callable[[object], bool], most: float, field: Field, remote: Remote, tmp_path: Path
) -> None:
    branch = _branch(field)
    original = next((sha for sha, ending in _endings(field, branch) if wanted(ending)), None)
    if original is None:
        pytest.skip(f"none of {len(field.originals)} originals ends so on {branch}")
    tip = field.repository.local_branches()[branch]
    ours = _by_the_bot(remote, tmp_path / "bot.git", original, {branch: tip})
    rows = [
        ours.row(),
        _by_git(remote, tmp_path / "checkout", "a checkout of depth 2", original, tip, "--depth=2").row(),
        _by_git(remote, tmp_path / "clone", "a clone of both branches", "HEAD", tip).row(),
        ("aim", f"{most:g} MB: {'met' if ours.bytes <= most * MIB else 'missed'}"),
    ]
    show(f"{original[:12]} onto {branch} ({field.name})", rows)


def test_many_branches(field: Field, remote: Remote, tmp_path: Path) -> None:
    named = os.environ.get("BENCH_ORIGINAL")
    original = (
        Sha(named) if named else next(sha for sha, ending in _endings(field, _branch(field)) if _is_clean(ending))
    )
    tips = {name: tip for name, tip in field.repository.local_branches().items() if tip in field.tips}
    ours = _by_the_bot(remote, tmp_path / "bot.git", original, tips)
    aim = ("aim for 50 branches", f"3 MB: {'met' if ours.bytes <= 3 * MIB else 'missed'}")
    show(f"{original[:12]} onto {len(tips)} branches ({field.name})", [ours.row(), aim])


def test_the_whole_line(field: Field, remote: Remote, tmp_path: Path) -> None:
    """Plan, pick and publish as the jobs do them, each with a mirror of its own; without a proof."""
    branch = _branch(field)
    original = next(sha for sha, ending in _endings(field, branch) if _is_clean(ending))
    tip = field.repository.local_branches()[branch]
    head = Sha(
        _git(
            *_in(remote),
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@b",
            "commit-tree",
            f"{original}^{{tree}}",
            "-p",
            f"{original}^",
            "-m",
            "topic",
        ).strip()
    )
    _git(*_in(remote), "update-ref", "refs/pull/1/head", head)
    main = Sha(_git(*_in(remote), "rev-parse", "HEAD").strip())

    def plan(mirror: Repository, original: Sha, _branch: str, tip: Sha) -> None:
        mirror.fetch([original])
        mirror.fetch([head])
        mirror.compare(original, head)
        assert read_merge(mirror, original, head) == (MergeMethod.SQUASH, (original,))
        mirror.branches()
        mirror.fetch([main, original])
        find_landing_status(mirror, main, [original])
        mirror.fetch([tip])

    rows = [
        _measure(remote, tmp_path / f"{name}.git", name, step, original, branch, tip)
        for name, step in (("plan", plan), ("pick", _pick_alone), ("publish", _publish))
    ]
    total = sum(row.bytes for row in rows)
    aim = ("in all", f"{total / MIB:.2f} MB (aim 3 MB: {'met' if total <= 3 * MIB else 'missed'})")
    show(f"the jobs of one backport, {original[:12]} onto {branch} ({field.name})", [*(row.row() for row in rows), aim])


def _in(remote: Remote) -> tuple[str, str]:
    return "--git-dir", str(remote.directory)


def _pick_alone(mirror: Repository, original: Sha, branch: str, tip: Sha) -> None:
    mirror.fetch([original, tip])
    _pick(mirror, original, branch, tip)


def _publish(mirror: Repository, original: Sha, branch: str, tip: Sha) -> None:
    # The candidate comes by the bundle; here it is made again from what a bundle brings.
    mirror.fetch([original, tip])
    commit = mirror.commit(original)
    paths = mirror.changed_paths(mirror.commit(commit.parents[0]).tree, commit.tree)
    changes = {path: mirror.read(original, path) for path in paths}
    candidate = mirror.write_commit(tip, changes, message="pick", author=commit.author, committer=COMMITTER)
    range_diff(mirror, [original], tip, candidate)
    mirror.push(candidate, f"backport/{original[:8]}", expected=None)


def _measure(
    remote: Remote,
    directory: Path,
    way: str,
    step: Callable[[Repository, Sha, str, Sha], None],
    original: Sha,
    branch: str,
    tip: Sha,
) -> Transfer:
    before, began = remote.sent(), time.monotonic()
    with open_mirror(remote.directory.as_uri(), directory, partial=True) as mirror:
        mirror.git.run("config", "remote.origin.uploadpack", str(remote.counter))
        step(mirror, original, branch, tip)
        seconds, in_all = mirror.seconds_fetching, time.monotonic() - began
    return Transfer(way, remote.sent() - before, seconds, in_all)


def _by_the_bot(remote: Remote, directory: Path, original: Sha, tips: dict[str, Sha]) -> Transfer:
    def step(mirror: Repository, original: Sha, _branch: str, _tip: Sha) -> None:
        mirror.fetch([original, *tips.values()])
        caches = PickCaches()
        caches.histories.announce([original], tips.values())
        for name, tip in tips.items():
            _pick(mirror, original, name, tip, caches)

    return _measure(remote, directory, "the bot", step, original, "", original)


def _by_git(remote: Remote, directory: Path, way: str, original: str, tip: str, *options: str) -> Transfer:
    """Fetch as a workflow does before it picks with git, and check the branch out."""
    _git("init", "--quiet", str(directory))
    inside = ("-C", str(directory), *_OPTIONS)
    before, began = remote.sent(), time.monotonic()
    fetch = ("fetch", "--quiet", "--no-tags", f"--upload-pack={remote.counter}", *options)
    _git(*inside, *fetch, remote.directory.as_uri(), original, tip)
    seconds = time.monotonic() - began
    _git(*inside, "checkout", "--quiet", tip)
    return Transfer(way, remote.sent() - before, seconds, time.monotonic() - began)
