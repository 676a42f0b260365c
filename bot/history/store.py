"""A store of git's log in one SQLite file beside the mirror, so that each commit is read once.

A commit never changes, so only new commits are read. Everything is read again if the file is damaged or of another
version, or if a shallow history has changed. History below a tip that is gone is read again too. Results that follow
from commits can be stored under a key that names all of their inputs.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.environment.data_folder import private_file
from bot.git.log import LoggedCommit, read_log
from bot.git.objects import decode_path, encode_path
from bot.git.repository import Repository
from bot.history.commit_graph import Commits, IndexedCommit
from bot.history.message_references import NOTHING, References, own_number, parse_references
from bot.models import Progress, Sha, silent

_VERSION = "6"
"""The version of the tables and of the rules by which this package reads history. A file of another version is dropped.
"""
_SCHEMA = """
    CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE tip (sha TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE entry (
        position INTEGER PRIMARY KEY, sha TEXT NOT NULL, parents TEXT NOT NULL, committed INTEGER NOT NULL,
        authored INTEGER NOT NULL, author BLOB NOT NULL, subject BLOB NOT NULL, touched INTEGER NOT NULL,
        number INTEGER, claims TEXT NOT NULL
    );
    CREATE TABLE content (position INTEGER PRIMARY KEY, message BLOB NOT NULL, paths BLOB NOT NULL);
    CREATE TABLE patch (sha TEXT PRIMARY KEY, digest BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE answer (topic TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (topic, key))
        WITHOUT ROWID;
"""
_TELL_EVERY = 10_000
_MOST_NAMED = 500


class HistoryStore:
    """The file. One process at a time may write to it; the process that opens it must hold the sync lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = self._open_database()
        self._commits: Commits | None = None

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> HistoryStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- commits ------------------------------------------------------------------------------------------------------

    def update(self, repository: Repository, tips: Iterable[Sha], progress: Progress = silent) -> Commits:
        """Read the new commits that lead to these tips. Returns all commits.

        Raises:
            GitError: a tip is not in the repository.
        """
        requested_tips = set(tips)
        if self._about("shallow") != _shallow_signature(repository):
            self._begin_anew(repository)
        read_tips = {Sha(row[0]) for row in self._database.execute("SELECT sha FROM tip")}
        if requested_tips - read_tips:
            # git would fail on a tip that is gone from the repository.
            self._read(
                repository, requested_tips - read_tips, [sha for sha in read_tips if repository.contains(sha)], progress
            )
        return self.commits()

    def commits(self) -> Commits:
        """Return all commits that were read."""
        if self._commits is None:
            columns = "sha, parents, committed, authored, author, subject, touched, number, claims"
            rows = self._database.execute(f"SELECT {columns} FROM entry ORDER BY position")  # noqa: S608
            self._commits = Commits([_parse_row(row) for row in rows])
        return self._commits

    def _read(self, repository: Repository, tips: Iterable[Sha], read_tips: Sequence[Sha], progress: Progress) -> None:
        read: list[LoggedCommit] = []
        for commit in read_log(repository, tips, read_tips):
            read.append(commit)
            # The first reading of a large repository takes minutes.
            if len(read) % _TELL_EVERY == 0:
                progress(f"{len(read)} commits read")
        positions = {row[1]: row[0] for row in self._database.execute("SELECT position, sha FROM entry")}
        new = [commit for commit in reversed(read) if commit.sha not in positions]
        positions.update({commit.sha: position for position, commit in enumerate(new, start=len(positions))})
        with self._database as database:
            database.executemany(
                "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (_entry(commit, positions) for commit in new)
            )
            database.executemany(
                "INSERT INTO content VALUES (?, ?, ?)",
                ((positions[commit.sha], encode_path(commit.message), _join(commit.paths)) for commit in new),
            )
            database.executemany("INSERT OR IGNORE INTO tip VALUES (?)", ((sha,) for sha in tips))
        self._commits = None

    def messages(self, positions: Iterable[int]) -> dict[int, str]:
        """Return whole messages."""
        return {position: decode_path(message) for position, message in self._content("message", positions)}

    def paths(self, positions: Iterable[int]) -> dict[int, tuple[str, ...]]:
        """Return the paths that commits changed, compared with their first parents."""
        return {position: _split(paths) for position, paths in self._content("paths", positions)}

    def _content(self, column: str, positions: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        sorted_positions = sorted(set(positions))
        for begin in range(0, len(sorted_positions), _MOST_NAMED):
            chunk = sorted_positions[begin : begin + _MOST_NAMED]
            marks = ", ".join("?" * len(chunk))
            # `column` is one of two names in this class, never a caller's text.
            yield from self._database.execute(
                f"SELECT position, {column} FROM content WHERE position IN ({marks})",  # noqa: S608
                chunk,
            )

    # --- what follows from them, kept for the next time ---------------------------------------------------------------

    def digests(self, shas: Iterable[Sha]) -> dict[Sha, bytes]:
        """Return the stored digests of patches."""
        requested_shas = set(shas)
        return {
            Sha(sha): digest for sha, digest in self._database.execute("SELECT * FROM patch") if sha in requested_shas
        }

    def keep_digests(self, digests: Mapping[Sha, bytes]) -> None:
        """Store digests of patches."""
        with self._database as database:
            database.executemany("INSERT OR REPLACE INTO patch VALUES (?, ?)", digests.items())

    def cached_result(self, topic: str, key: str) -> Any | None:  # noqa: ANN401 - what was kept is what its keeper expects
        """Return the result that was stored under a key, or None."""
        row = self._database.execute("SELECT value FROM answer WHERE topic = ? AND key = ?", (topic, key)).fetchone()
        return json.loads(row[0]) if row else None

    def cached_results(self, topic: str) -> dict[str, Any]:
        """Return all that was kept on a topic, by key."""
        rows = self._database.execute("SELECT key, value FROM answer WHERE topic = ?", (topic,))
        return {key: json.loads(value) for key, value in rows}

    def keep_results(self, topic: str, results: Mapping[str, object], *, replace: bool = False) -> None:
        """Store results. With `replace` they replace all others of the topic."""
        with self._database as database:
            if replace:
                database.execute("DELETE FROM answer WHERE topic = ?", (topic,))
            rows = ((topic, key, json.dumps(value)) for key, value in results.items())
            database.executemany("INSERT OR REPLACE INTO answer VALUES (?, ?, ?)", rows)

    # --- the file -----------------------------------------------------------------------------------------------------

    def _open_database(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(private_file(self._path))
        try:
            version = database.execute("SELECT value FROM about WHERE name = 'version'").fetchone()
        except sqlite3.DatabaseError:  # the file is empty, damaged, or no database
            version = None
        if version == (_VERSION,):
            return database
        database.close()
        # The file is a cache: git has everything in it.
        self._path.unlink(missing_ok=True)
        database = sqlite3.connect(private_file(self._path))
        database.executescript(_SCHEMA)
        with database:
            database.execute("INSERT INTO about VALUES ('version', ?)", (_VERSION,))
        return database

    def _about(self, name: str) -> str:
        row = self._database.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def _begin_anew(self, repository: Repository) -> None:
        self._commits = None
        with self._database as database:
            for table in ("tip", "entry", "content", "answer"):
                database.execute(f"DELETE FROM {table}")  # noqa: S608 - four names written here
            row = ("shallow", _shallow_signature(repository))
            database.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", row)


def _shallow_signature(repository: Repository) -> str:
    """Return a text that changes if a shallow history is cut off elsewhere; empty for a complete history."""
    boundary = repository.git.directory / "shallow"
    return hashlib.sha256(boundary.read_bytes()).hexdigest() if boundary.exists() else ""


def _entry(commit: LoggedCommit, positions: Mapping[str, int]) -> tuple[object, ...]:
    references = parse_references(commit.message)
    return (
        positions[commit.sha],
        commit.sha,
        " ".join(str(positions[parent]) for parent in commit.parents if parent in positions),
        commit.commit_time,
        commit.author_time,
        encode_path(commit.author),
        encode_path(commit.subject),
        _digest_paths(commit.paths),
        own_number(commit.subject),
        "" if references == NOTHING else json.dumps([*asdict(references).values()]),
    )


def _parse_row(row: Sequence[Any]) -> IndexedCommit:
    sha, parents, commit_date, author_date, author, subject, paths_digest, number, references = row
    return IndexedCommit(
        sha,
        tuple(map(int, parents.split())),
        commit_date,
        author_date,
        decode_path(author),
        decode_path(subject),
        paths_digest,
        number,
        _claims(references) if references else NOTHING,
    )


def _claims(text: str) -> References:
    return References(*map(tuple, json.loads(text)))


def _digest_paths(paths: Sequence[str]) -> int:
    if not paths:
        return 0
    digest = hashlib.blake2b(_join(sorted(paths)), digest_size=8).digest()
    return int.from_bytes(digest, signed=True) or 1


def _join(paths: Iterable[str]) -> bytes:
    return b"\0".join(map(encode_path, paths))


def _split(paths: bytes) -> tuple[str, ...]:
    return tuple(map(decode_path, paths.split(b"\0"))) if paths else ()
