"""The record of a rehearsal: what was replayed before, so that a run that was stopped goes on where it was.

Owns a file in the user's cache; the repository that is rehearsed is never written to. What another version of the
engine made is worth nothing and is dropped.
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
from bot.rehearse.replay import Ending, Replayed

_SCHEMA = """
CREATE TABLE IF NOT EXISTS replayed (
    engine TEXT NOT NULL, backport TEXT NOT NULL, original TEXT NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (engine, backport, original)
);
CREATE TABLE IF NOT EXISTS effort (engine TEXT PRIMARY KEY, pairs INTEGER NOT NULL, seconds REAL NOT NULL)
"""
# What decides how a replay ends. The rest of the program may change and the record stays good.
_ENGINE = ("bot.git", "bot.pick", "bot.rehearse")


def record_directory(repository: Path) -> Path:
    """Return where record and report of a repository are kept: in the user's cache, by the repository's path."""
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

    def read(self, pairs: Iterable[Pair]) -> dict[Pair, Replayed]:
        """Return what is known of these pairs."""
        rows = self._database.execute("SELECT backport, original, data FROM replayed WHERE engine = ?", (self.engine,))
        known = {(backport, original): data for backport, original, data in rows}
        return {
            pair: _from_json(pair, known[pair.backport, pair.original])
            for pair in pairs
            if (pair.backport, pair.original) in known
        }

    def add(self, replayed: Iterable[Replayed], seconds: float) -> None:
        """Note replays and how long they took, on the clock."""
        rows = [(self.engine, each.pair.backport, each.pair.original, _to_json(each)) for each in replayed]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO replayed VALUES (?, ?, ?, ?)", rows)
            self._database.execute(
                "INSERT INTO effort VALUES (?1, ?2, ?3) ON CONFLICT (engine) DO UPDATE SET "
                "pairs = pairs + ?2, seconds = seconds + ?3",
                (self.engine, len(rows), seconds),
            )

    def speed(self) -> float:
        """Return the pairs replayed a second, over every run that went into the record."""
        row = self._database.execute("SELECT pairs, seconds FROM effort WHERE engine = ?", (self.engine,)).fetchone()
        return row[0] / row[1] if row and row[1] else 0.0


@cache
def engine_version() -> str:
    """Return a digest of the code that decides how a replay ends."""
    digest = hashlib.sha256()
    for package in _ENGINE:
        for name, content in sorted(_sources(files(package), package)):
            digest.update(b"%s\0%d\0%s" % (name.encode(), len(content), content))
    return digest.hexdigest()[:16]


def _sources(directory: Traversable, prefix: str) -> Iterable[tuple[str, bytes]]:
    for each in directory.iterdir():
        if each.is_dir():
            yield from _sources(each, f"{prefix}/{each.name}")
        elif each.name.endswith(".py"):
            yield f"{prefix}/{each.name}", each.read_bytes()


def _to_json(replayed: Replayed) -> str:
    data = asdict(replayed)
    del data["pair"]
    return json.dumps(data)


def _from_json(pair: Pair, text: str) -> Replayed:
    data = json.loads(text)
    data |= {"ending": Ending(data["ending"]), "files": tuple(data["files"]), "differs": tuple(data["differs"])}
    return Replayed(pair=pair, **data)
