"""The delivery journal on a real SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.server.delivery_queue import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "journal.sqlite")
    yield opened
    opened.close()


def test_deliveries_come_out_oldest_first(journal: Journal) -> None:
    for name in ("one", "two"):
        assert journal.accept(name, "issue_comment", {"name": name})
    first = journal.next()
    assert first is not None
    assert (first.id, first.event, first.payload, first.attempts) == ("one", "issue_comment", {"name": "one"}, 0)
    journal.finish("one")
    second = journal.next()
    assert second is not None
    assert second.id == "two"


def test_a_redelivered_delivery_is_not_accepted_twice(journal: Journal) -> None:
    assert journal.accept("one", "push", {})
    assert not journal.accept("one", "push", {})
    journal.finish("one")
    assert not journal.accept("one", "push", {})
    assert journal.count_waiting() == 0


def test_an_unfinished_delivery_survives_the_process(tmp_path: Path) -> None:
    """A crash between `next` and `finish` is a process that never calls `finish`."""
    before = Journal(tmp_path / "journal.sqlite")
    before.accept("one", "push", {"n": 1})
    assert before.next() is not None
    before.close()
    after = Journal(tmp_path / "journal.sqlite")
    again = after.next()
    assert again is not None
    assert (again.id, again.attempts) == ("one", 1)
    after.close()


def test_a_failed_delivery_leaves_the_queue_and_says_why(journal: Journal) -> None:
    journal.accept("one", "push", {})
    journal.next()
    journal.finish("one", "the mirror is gone")
    assert journal.next() is None
    assert journal.problems() == ("the mirror is gone",)


def test_the_same_work_under_another_id_is_not_accepted_twice(journal: Journal) -> None:
    assert journal.accept("one", "push", {}, key="comment 5")
    assert not journal.accept("two", "push", {}, key="comment 5")
    journal.next()
    journal.finish("one")
    assert not journal.accept("three", "push", {}, key="comment 5")
    assert journal.accept("four", "push", {}, key="comment 6")


def test_work_that_failed_is_taken_up_again_when_it_is_redelivered(journal: Journal) -> None:
    journal.accept("one", "push", {"n": 1}, key="comment 5")
    journal.next()
    journal.finish("one", "the mirror is gone")
    assert journal.accept("one", "push", {"n": 1}, key="comment 5")
    again = journal.next()
    assert again is not None
    assert (again.payload, again.attempts) == ({"n": 1}, 0)


# What the first version wrote.
_FIRST_VERSION = """
CREATE TABLE delivery (
    position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, event TEXT NOT NULL, payload TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0, problem TEXT NOT NULL DEFAULT ''
);
INSERT INTO delivery (id, event, payload) VALUES ('one', 'push', '{"n": 1}');
"""


def test_a_journal_of_the_first_version_is_read_on(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "journal.sqlite") as old:
        old.executescript(_FIRST_VERSION)
    old.close()
    for _start in range(2):
        journal = Journal(tmp_path / "journal.sqlite")
        assert journal.count_waiting() == 1
        assert not journal.accept("one", "push", {}, key="push 1")
        journal.close()


@pytest.mark.parametrize("damage", ["no SQLite", "newer"])
def test_a_journal_that_cannot_be_used_is_named_with_a_remedy(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "journal.sqlite"
    if damage == "newer":
        with sqlite3.connect(path) as newer:
            newer.execute("PRAGMA user_version = 99")
        newer.close()
    else:
        path.write_bytes(b"something else altogether" * 100)
    with pytest.raises(ConfigError, match=str(path)) as caught:
        Journal(path)
    assert "Move the file away" in caught.value.hint
