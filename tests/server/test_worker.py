"""The worker thread over a real journal."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.errors import GitError, Unavailable
from bot.proof.run_isolated import RunsEnded
from bot.server import worker as worker_module
from bot.server.delivery_queue import Delivery, Journal
from bot.server.worker import Worker


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "journal.sqlite")
    yield opened
    opened.close()


def _work_off(journal: Journal, work: Callable[[Delivery], None]) -> None:
    worker = Worker(journal, work)
    worker.start()
    assert worker.wait_until_idle(10)
    worker.stop()


def test_what_was_waiting_before_the_start_is_done(journal: Journal) -> None:
    journal.accept("one", "push", {})
    calls: list[str] = []
    _work_off(journal, lambda delivery: calls.append(delivery.id))
    assert calls == ["one"]


def test_an_error_in_one_delivery_does_not_stop_the_next(journal: Journal) -> None:
    calls: list[str] = []

    def work(delivery: Delivery) -> None:
        calls.append(delivery.id)
        if delivery.id == "one":
            raise ZeroDivisionError("a fault of ours")
        if delivery.id == "two":
            raise GitError("The mirror is gone.", hint="Clone it again.")

    for name in ("one", "two", "three"):
        journal.accept(name, "push", {})
    _work_off(journal, work)
    assert calls == ["one", "two", "three"]
    assert journal.problems() == ("ZeroDivisionError: a fault of ours", "The mirror is gone.")


def test_what_the_end_of_the_bot_interrupted_is_kept_for_the_next_start(journal: Journal) -> None:
    """A suite that was ended with the bot is no verdict, so the delivery is neither finished nor tried again now."""
    calls: list[str] = []
    ended = threading.Event()

    def work(delivery: Delivery) -> None:
        calls.append(delivery.id)
        ended.set()
        raise RunsEnded

    journal.accept("one", "push", {})
    worker = Worker(journal, work)
    worker.start()
    assert ended.wait(10)
    worker.stop()
    assert (calls, journal.count_waiting()) == (["one"], 1)


def test_an_unanswering_github_is_asked_again(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "_FIRST_PAUSE", 0.0)
    attempts: list[int] = []

    def work(delivery: Delivery) -> None:
        attempts.append(delivery.attempts)
        if len(attempts) < 3:
            raise Unavailable("GitHub answered 502.", hint="Try again.")

    journal.accept("one", "push", {})
    _work_off(journal, work)
    assert attempts == [0, 1, 2]
    assert journal.problems() == ()


def test_an_outage_is_given_up_in_the_end(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "_FIRST_PAUSE", 0.0)

    def work(_delivery: Delivery) -> None:
        raise Unavailable("GitHub answered 502.", hint="Try again.")

    journal.accept("one", "push", {})
    _work_off(journal, work)
    assert journal.problems() == ("GitHub answered 502.",)


def test_a_journal_that_is_held_by_another_process_stops_no_work(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup holds the file while the first delivery ends: it is done once more, and the second after it."""
    monkeypatch.setattr(worker_module, "_JOURNAL_PAUSE", 0.1)
    journal._database.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None, check_same_thread=False)
    calls: list[str] = []

    def work(delivery: Delivery) -> None:
        calls.append(delivery.id)
        if len(calls) == 1:
            other.execute("BEGIN IMMEDIATE")
            threading.Timer(0.5, lambda: other.execute("ROLLBACK")).start()

    for name in ("one", "two"):
        journal.accept(name, "push", {})
    _work_off(journal, work)
    assert calls == ["one", "one", "two"]
    other.close()
