"""Webhook deliveries on disk, so that an accepted one outlives a crash.

A delivery is recorded before GitHub gets its 200, and removed from the queue only when its work has ended. Work may
therefore run twice after a crash; every outside effect of the bot is find-or-create for that reason.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.environment.data_folder import private_file
from bot.errors import ConfigError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS delivery (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    event TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    problem TEXT NOT NULL DEFAULT ''
)
"""
# Each takes a file of the version before it to the next; `user_version` counts those that were run.
_MIGRATIONS = (
    """
    ALTER TABLE delivery ADD COLUMN key TEXT;
    CREATE UNIQUE INDEX delivery_key ON delivery (key);
    CREATE INDEX delivery_waiting ON delivery (position) WHERE state = 'waiting';
    """,
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook delivery. `id` is GitHub's X-GitHub-Delivery; `attempts` counts the ones before this."""

    id: str
    event: str
    payload: Mapping[str, Any]
    attempts: int


class Journal:
    """The queue, oldest first. One instance may be used from several threads."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it for its owner alone.

        Raises:
            ConfigError: it is no journal, or of a newer version.
        """
        self._lock = threading.Lock()
        try:
            self._database = sqlite3.connect(private_file(path), check_same_thread=False, isolation_level=None)
            # The endpoint can write while the worker reads: https://www.sqlite.org/wal.html
            self._database.execute("PRAGMA journal_mode = WAL")
            self._migrate()
        except (OSError, sqlite3.DatabaseError) as error:
            raise ConfigError(
                f"The journal {path} cannot be used ({error}), so no delivery was accepted.",
                hint="Move the file away; `reconcile` serves the requests that were waiting in it.",
            ) from error

    def _migrate(self) -> None:
        self._database.execute(_SCHEMA)
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version > len(_MIGRATIONS):
            raise sqlite3.DatabaseError(f"it is of version {version}, newer than this program")
        for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
            self._database.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")

    def close(self) -> None:
        """Close the file; what is waiting stays in it."""
        with self._lock:
            self._database.close()

    def accept(self, delivery_id: str, event: str, payload: Mapping[str, Any], *, key: str | None = None) -> bool:
        """Record a delivery; False if it, or its work, is known already (GitHub redelivers).

        `key` is what its work is known by. Work that failed is taken up again.
        """
        retry_statement = (
            "UPDATE delivery SET state = 'waiting', attempts = 0 WHERE state = 'failed' AND (id = ? OR key = ?)"
        )
        insert_statement = "INSERT OR IGNORE INTO delivery (id, event, payload, key) VALUES (?, ?, ?, ?)"
        with self._lock:
            if self._database.execute(retry_statement, (delivery_id, key)).rowcount > 0:
                return True
            return (
                self._database.execute(insert_statement, (delivery_id, event, json.dumps(payload), key)).rowcount == 1
            )

    def next(self) -> Delivery | None:
        """Return the oldest waiting delivery, counting the attempt that is about to be made."""
        statement = """
            UPDATE delivery SET attempts = attempts + 1
            WHERE position = (SELECT MIN(position) FROM delivery WHERE state = 'waiting')
            RETURNING id, event, payload, attempts
        """
        with self._lock:
            row = self._database.execute(statement).fetchone()
        return Delivery(row[0], row[1], json.loads(row[2]), row[3] - 1) if row else None

    def finish(self, delivery_id: str, problem: str = "") -> None:
        """Take a delivery off the queue. A `problem` is kept with the payload; of what is done only the key stays."""
        failure_statement = "UPDATE delivery SET state = 'failed', problem = ? WHERE id = ?"
        # A payload holds texts of people and is of no use after the work.
        success_statement = "UPDATE delivery SET state = 'done', problem = ?, payload = '' WHERE id = ?"
        with self._lock:
            self._database.execute(failure_statement if problem else success_statement, (problem, delivery_id))

    def problems(self) -> tuple[str, ...]:
        """Return what went wrong with the deliveries that failed, oldest first."""
        with self._lock:
            rows = self._database.execute("SELECT problem FROM delivery WHERE state = 'failed' ORDER BY position")
            return tuple(row[0] for row in rows)

    def count_waiting(self) -> int:
        """Count the deliveries whose work has not ended."""
        with self._lock:
            row = self._database.execute("SELECT COUNT(*) FROM delivery WHERE state = 'waiting'").fetchone()
        return int(row[0])
