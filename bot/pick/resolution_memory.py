"""Resolutions that people made before, found again when the same conflict comes up.

Owns how a resolution is learned from a commit that somebody landed, and what counts as the same conflict: the same
sides of a region in the same file. It is rerere's idea, but taken from history and shared by all branches.
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
from bot.pick.merge.align import align

_SCHEMA = """
CREATE TABLE IF NOT EXISTS resolution (
    sides BLOB NOT NULL, path BLOB NOT NULL, original TEXT NOT NULL, landed TEXT NOT NULL, date INTEGER NOT NULL,
    result BLOB NOT NULL, PRIMARY KEY (sides, path, original, landed)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS learned (original TEXT NOT NULL, landed TEXT NOT NULL, PRIMARY KEY (original, landed))
"""
# Beyond this a file is data.
_MOST_LINES = 20_000


@dataclass(frozen=True, slots=True)
class RememberedResolution:
    """How a region was resolved: when picking which original, in which landed commit."""

    original: Sha
    backport: Sha
    result: bytes


class ResolutionMemory:
    """Resolutions by conflict, in a file beside a mirror, or in memory only."""

    def __init__(self, file: Path | None = None) -> None:
        self._database = sqlite3.connect(
            private_file(file) if file else ":memory:", timeout=30, check_same_thread=False
        )
        self._database.executescript(_SCHEMA)
        weakref.finalize(self, self._database.close)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def knows(self, original: Sha, backport: Sha) -> bool:
        """Say whether this backport was learned from."""
        query = "SELECT 1 FROM learned WHERE original = ? AND landed = ?"
        return self._database.execute(query, (original, backport)).fetchone() is not None

    def learn(self, repository: Quarantine, original: Sha, backport: Sha) -> int:
        """Remember how `backport`, the backport of `original`, resolved what git could not; return the regions learned.

        Learning again changes nothing.
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
        with self._database:
            self._database.executemany("INSERT OR IGNORE INTO resolution VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._database.execute("INSERT OR IGNORE INTO learned VALUES (?, ?)", (original, backport))
        return len(rows)

    def recall(self, path: str, region: Region, known_before: int | None = None) -> tuple[RememberedResolution, ...]:
        """Return how the same conflict in the same file was resolved before, newest first."""
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
    """Yield, for each region whose neighbouring lines stand in a resolved file, the text that came between them."""
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
