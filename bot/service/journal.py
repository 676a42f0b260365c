"""Webhook deliveries on disk, so that an accepted one outlives a crash.

A delivery is recorded before GitHub is told 200 and removed from the queue only when its work has ended. Work may
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
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute(_SCHEMA)

    def close(self) -> None:
        """Close the file; what is waiting stays in it."""
        with self._lock:
            self._database.close()

    def accept(self, delivery_id: str, event: str, payload: Mapping[str, Any]) -> bool:
        """Record a delivery; False where it is known already (GitHub redelivers)."""
        statement = "INSERT OR IGNORE INTO delivery (id, event, payload) VALUES (?, ?, ?)"
        with self._lock:
            return self._database.execute(statement, (delivery_id, event, json.dumps(payload))).rowcount == 1

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
        """Take a delivery off the queue; `problem` is kept for whoever looks into it."""
        state = "failed" if problem else "done"
        with self._lock:
            self._database.execute(
                "UPDATE delivery SET state = ?, problem = ? WHERE id = ?", (state, problem, delivery_id)
            )

    def problems(self) -> tuple[str, ...]:
        """Return what went wrong with the deliveries that failed, oldest first."""
        with self._lock:
            rows = self._database.execute("SELECT problem FROM delivery WHERE state = 'failed' ORDER BY position")
            return tuple(row[0] for row in rows)

    def waiting(self) -> int:
        """Count the deliveries whose work has not ended."""
        with self._lock:
            row = self._database.execute("SELECT COUNT(*) FROM delivery WHERE state = 'waiting'").fetchone()
        return int(row[0])
