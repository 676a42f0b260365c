"""The file in which an earlier version kept its deliveries."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from bot.commands.triggers import parse_delivery
from bot.server.deliveries import Deliveries, NewDelivery
from bot.server.delivery_keys import work_key
from bot.server.old_journal import take_over_journal
from tests.server.test_webhooks import comment

_TABLE = """
CREATE TABLE delivery (
    position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, event TEXT NOT NULL, payload TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting', attempts INTEGER NOT NULL DEFAULT 0, problem TEXT NOT NULL DEFAULT ''
);
"""
_KEYS = "ALTER TABLE delivery ADD COLUMN key TEXT; PRAGMA user_version = 1;"


def _journal(directory: Path, *, keys: bool = True) -> sqlite3.Connection:
    journal = sqlite3.connect(directory / "deliveries.sqlite", isolation_level=None)
    journal.execute("PRAGMA journal_mode = WAL")
    journal.executescript(_TABLE + (_KEYS if keys else ""))
    return journal


def _delivery(number: int) -> NewDelivery:
    payload = json.loads(comment(number))
    trigger = parse_delivery("issue_comment", payload)
    assert trigger is not None
    return NewDelivery(name=str(number), key=work_key(trigger, payload), trigger=trigger)


def test_what_waits_is_taken_over_once_and_what_is_done_is_known(tmp_path: Path, deliveries: Deliveries) -> None:
    journal = _journal(tmp_path)
    row = "INSERT INTO delivery (id, event, payload, state, key) VALUES (?, 'issue_comment', ?, ?, ?)"
    journal.execute(row, ("one", "", "done", _delivery(1).key))
    journal.execute(row, ("two", comment(2).decode(), "waiting", _delivery(2).key))
    journal.close()
    for _ in range(2):
        take_over_journal(tmp_path, deliveries)
        assert deliveries.count_open() == 1
    assert [path.name for path in tmp_path.iterdir()] == ["deliveries.sqlite.taken-over"]
    assert not deliveries.accept(_delivery(1))
    assert not deliveries.accept(_delivery(2))
    assert deliveries.accept(_delivery(3))


def test_a_journal_of_the_first_version_is_taken_over(tmp_path: Path, deliveries: Deliveries) -> None:
    journal = _journal(tmp_path, keys=False)
    journal.execute(
        "INSERT INTO delivery (id, event, payload) VALUES ('one', 'issue_comment', ?)", (comment(1).decode(),)
    )
    journal.close()
    take_over_journal(tmp_path, deliveries)
    assert deliveries.count_open() == 1


def test_a_file_that_is_no_journal_stops_nothing(tmp_path: Path, deliveries: Deliveries) -> None:
    file = tmp_path / "deliveries.sqlite"
    file.write_bytes(b"something else altogether" * 100)
    take_over_journal(tmp_path, deliveries)
    assert deliveries.count_open() == 0
    assert file.exists()
