"""The delivery journal on a real SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.service.journal import Journal


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
    assert journal.waiting() == 0


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
