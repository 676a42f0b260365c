"""The record of a rehearsal: the replays so far, so that a run that was stopped continues where it was.

It is a file in the user's cache; the rehearsed repository is never written to. Replays of another version of the engine
are deleted, because they say nothing about this one.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from bot.environment.cache_folder import cache_directory
from bot.environment.data_folder import private_file
from bot.rehearse.past_backports import Pair
from bot.rehearse.replay import ReplayOutcome, ReplayResult

_SCHEMA = """
CREATE TABLE IF NOT EXISTS replayed (
    engine TEXT NOT NULL, backport TEXT NOT NULL, original TEXT NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (engine, backport, original)
);
CREATE TABLE IF NOT EXISTS effort (engine TEXT PRIMARY KEY, pairs INTEGER NOT NULL, seconds REAL NOT NULL)
"""
# The packages that decide the outcome of a replay. The record stays valid if anything else changes.
_ENGINE = ("bot.git", "bot.pick", "bot.rehearse")


def record_directory(repository: Path) -> Path:
    """Return the folder of a repository's record and report, in the user's cache."""
    real = repository.resolve()
    return cache_directory() / "rehearsals" / f"{real.name}-{hashlib.sha256(os.fsencode(real)).hexdigest()[:12]}"


class Record:
    """Replays by pair, of this version of the engine."""

    def __init__(self, directory: Path, engine: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.engine = engine
        self._database = sqlite3.connect(private_file(directory / "record.sqlite"), timeout=30)
        self._database.executescript(_SCHEMA)
        with self._database:
            for table in ("replayed", "effort"):
                self._database.execute(f"DELETE FROM {table} WHERE engine != ?", (engine,))  # noqa: S608 -- our names

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def read(self, pairs: Iterable[Pair]) -> dict[Pair, ReplayResult]:
        """Return the recorded replays of these pairs."""
        rows = self._database.execute("SELECT backport, original, data FROM replayed WHERE engine = ?", (self.engine,))
        records = {(backport, original): data for backport, original, data in rows}
        return {
            pair: _from_json(pair, records[pair.backport, pair.original])
            for pair in pairs
            if (pair.backport, pair.original) in records
        }

    def add(self, replays: Iterable[ReplayResult], seconds: float) -> None:
        """Record replays and the wall-clock seconds that they took."""
        rows = [(self.engine, replay.pair.backport, replay.pair.original, _to_json(replay)) for replay in replays]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO replayed VALUES (?, ?, ?, ?)", rows)
            self._database.execute(
                "INSERT INTO effort VALUES (?1, ?2, ?3) ON CONFLICT (engine) DO UPDATE SET "
                "pairs = pairs + ?2, seconds = seconds + ?3",
                (self.engine, len(rows), seconds),
            )

    def speed(self) -> float:
        """Return the pairs replayed per second, over all recorded runs."""
        row = self._database.execute("SELECT pairs, seconds FROM effort WHERE engine = ?", (self.engine,)).fetchone()
        return row[0] / row[1] if row and row[1] else 0.0


@cache
def engine_version() -> str:
    """Return a digest of the code that decides the outcome of a replay."""
    digest = hashlib.sha256()
    for package in _ENGINE:
        for name, content in sorted(_sources(files(package), package)):
            digest.update(b"%s\0%d\0%s" % (name.encode(), len(content), content))
    return digest.hexdigest()[:16]


def _sources(directory: Traversable, prefix: str) -> Iterable[tuple[str, bytes]]:
    for entry in directory.iterdir():
        if entry.is_dir():
            yield from _sources(entry, f"{prefix}/{entry.name}")
        elif entry.name.endswith(".py"):
            yield f"{prefix}/{entry.name}", entry.read_bytes()


def _to_json(replay: ReplayResult) -> str:
    data = asdict(replay)
    del data["pair"]
    return json.dumps(data)


def _from_json(pair: Pair, text: str) -> ReplayResult:
    data = json.loads(text)
    data |= {"ending": ReplayOutcome(data["ending"]), "files": tuple(data["files"]), "differs": tuple(data["differs"])}
    return ReplayResult(pair=pair, **data)
