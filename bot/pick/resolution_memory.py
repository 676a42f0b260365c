"""Resolutions that people made before, found again if the same conflict occurs.

The idea is git's rerere (https://git-scm.com/docs/git-rerere), but the resolutions are learned from merged backports
and shared by all branches. A conflict is the same if all sides of a region in the same file are equal.
"""

from __future__ import annotations

import hashlib
import sqlite3
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.environment.data_folder import private_file
from bot.git.conflict_markers import Parts, Region
from bot.git.conflict_regions import split_unmerged
from bot.git.objects import encode_path
from bot.git.repository import Quarantine
from bot.git.trial_pick import UnmergedPick, try_pick
from bot.models import Sha
from bot.pick.align import align

_SCHEMA = """
CREATE TABLE IF NOT EXISTS resolution (
    sides BLOB NOT NULL, path BLOB NOT NULL, original TEXT NOT NULL, landed TEXT NOT NULL, date INTEGER NOT NULL,
    result BLOB NOT NULL, PRIMARY KEY (sides, path, original, landed)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS learned (original TEXT NOT NULL, landed TEXT NOT NULL, PRIMARY KEY (original, landed))
"""
# A longer file is data, and aligning it takes seconds.
_MOST_LINES = 20_000


@dataclass(frozen=True, slots=True)
class RememberedResolution:
    """The resolution of a region: the original that was picked, the backport that was merged, and the text."""

    original: Sha
    backport: Sha
    result: bytes


class ResolutionMemory:
    """Resolutions by conflict, in a file beside a mirror, or in memory only."""

    def __init__(self, file: Path | None = None) -> None:
        # The service picks in several threads. SQLite is built thread-safe: https://www.sqlite.org/threadsafe.html
        self._database = sqlite3.connect(
            private_file(file) if file else ":memory:", timeout=30, check_same_thread=False
        )
        self._database.executescript(_SCHEMA)
        weakref.finalize(self, self._database.close)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def knows(self, original: Sha, backport: Sha) -> bool:
        """Return True if this backport was learned from."""
        query = "SELECT 1 FROM learned WHERE original = ? AND landed = ?"
        return self._database.execute(query, (original, backport)).fetchone() is not None

    def learn(self, repository: Quarantine, original: Sha, backport: Sha) -> int:
        """Learn how the merged `backport` of `original` resolved git's conflicts. Return the number of regions learned.

        Learning twice changes nothing.
        """
        if self.knows(original, backport):
            return 0
        commit = repository.commit(backport)
        rows = []
        if commit.parents:
            pick = try_pick(repository, original, repository.commit(commit.parents[0]).tree)
            date = int(commit.committer.date.split()[0])
            rows = [
                (_sides(region), encode_path(path), original, backport, date, result)
                for path, region, result in _resolutions(repository, pick, backport)
            ]
        # One transaction: a backport is either learned whole or not at all.
        with self._database:
            self._database.executemany("INSERT OR IGNORE INTO resolution VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._database.execute("INSERT OR IGNORE INTO learned VALUES (?, ?)", (original, backport))
        return len(rows)

    def recall(self, path: str, region: Region, known_before: int | None = None) -> tuple[RememberedResolution, ...]:
        """Return earlier resolutions of the same conflict in the same file, newest first."""
        query = (
            "SELECT original, landed, result FROM resolution WHERE sides = ? AND path = ? AND date < ? "
            "ORDER BY date DESC, landed"
        )
        latest = known_before if known_before is not None else 2**62
        rows = self._database.execute(query, (_sides(region), encode_path(path), latest))
        return tuple(RememberedResolution(Sha(original), Sha(backport), result) for original, backport, result in rows)


def _sides(region: Region) -> bytes:
    digest = hashlib.sha256()
    for side in (region.base, region.ours, region.theirs):
        # Each length is part of the text, so that two different splits never have one digest.
        digest.update(b"%d:%s" % (len(side), side))
    return digest.digest()


def _resolutions(repository: Quarantine, pick: object, backport: Sha) -> Iterator[tuple[str, Region, bytes]]:
    if not isinstance(pick, UnmergedPick):
        return
    for path, parts in split_unmerged(repository, pick).items():
        content = repository.read(backport, path)
        if content is not None:
            for region, result in resolved_regions(parts, content):
                yield path, region, result


def resolved_regions(parts: Parts, content: bytes) -> Iterator[tuple[Region, bytes]]:
    """Yield each region and the text in its place in a resolved file, if its neighbouring lines are still there."""
    lines = content.splitlines(keepends=True)
    settled_lines: list[bytes] = []
    regions: list[tuple[int, Region]] = []
    for part in parts:
        if isinstance(part, Region):
            regions.append((len(settled_lines), part))
        else:
            settled_lines += part.splitlines(keepends=True)
    if len(lines) > _MOST_LINES or len(settled_lines) > _MOST_LINES:
        return
    place = dict(align(settled_lines, lines))
    for index, region in regions:
        before = place.get(index - 1) if index else -1
        after = place.get(index) if index < len(settled_lines) else len(lines)
        if before is not None and after is not None and before < after:
            yield region, b"".join(lines[before + 1 : after])
