"""The connections to a real PostgreSQL."""

from __future__ import annotations

import contextlib

import psycopg
import pytest

from bot.server import database as database_module
from bot.server.database import Database


def test_the_transaction_of_a_process_that_sleeps_holds_up_nobody(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_LONGEST_PAUSE", 0.1)
    sleeping = Database(database_url)
    with contextlib.suppress(psycopg.Error), sleeping.transaction() as connection:
        connection.execute("INSERT INTO backport_fact VALUES ('fact', 'of the process that sleeps')")
        database.keep_fact("fact", "of another one")  # waits for the end of the insertion
    sleeping.close()
    assert database.fact("fact") == "of another one"
