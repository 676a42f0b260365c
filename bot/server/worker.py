"""One thread that takes deliveries off the journal and does their work, oldest first."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable

from bot.errors import BackportError, RateLimited, Unavailable
from bot.proof.run_isolated import RunsEnded
from bot.server.delivery_queue import Delivery, Journal

log = logging.getLogger(__name__)

# Then the delivery is given up: three hours of an unreachable GitHub are an outage, not a hiccup.
_ATTEMPTS = 6
_FIRST_PAUSE = 10.0
_JOURNAL_PAUSE = 5.0
"""Seconds: a full disk or a backup that holds the file."""


class Worker:
    """Does the work of waiting deliveries in a thread of its own, from `start` until `stop`.

    An error of the work never stops the thread: it is logged and kept in the queue. If GitHub does not answer, the
    delivery stays first in the queue and is tried again after a pause that doubles.
    """

    def __init__(self, journal: Journal, work: Callable[[Delivery], None]) -> None:
        self._journal = journal
        self._work = work
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._idle = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="backport-worker", daemon=True)

    def start(self) -> None:
        """Begin with whatever an earlier process left waiting."""
        self._thread.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Ask the thread to end after the delivery in hand, and wait that long (seconds)."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(timeout)

    def wake(self) -> None:
        """Say that a delivery was accepted."""
        self._wake.set()

    def wait_until_idle(self, timeout: float) -> bool:
        """Wait (seconds) until nothing is waiting; False if that did not happen in time."""
        with self._idle:
            return self._idle.wait_for(lambda: self._journal.count_waiting() == 0, timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self._take_next()
            except sqlite3.Error as error:
                # What could not be noted as done is done again, which opens nothing twice.
                log.error("The journal cannot be used (%s). Trying again in %g s.", error, _JOURNAL_PAUSE)
                self._stopping.wait(_JOURNAL_PAUSE)

    def _take_next(self) -> None:
        delivery = self._journal.next()
        if delivery is not None:
            self._attempt(delivery)
            return
        with self._idle:
            self._idle.notify_all()
        self._wake.wait()

    def _attempt(self, delivery: Delivery) -> None:
        try:
            self._work(delivery)
        except RunsEnded:  # what it was about stays in the journal for the next start
            self._stopping.set()
        except (RateLimited, Unavailable) as error:
            # It stays first, since later deliveries would meet the same outage.
            if delivery.attempts + 1 < _ATTEMPTS:
                log.warning("%s: %s Trying again.", delivery.id, error.message)
                self._stopping.wait(_FIRST_PAUSE * 2**delivery.attempts)
                return
            self._journal.finish(delivery.id, error.message)
        except BackportError as error:
            log.warning("%s: %s %s", delivery.id, error.message, error.hint)
            self._journal.finish(delivery.id, error.message)
        except Exception as error:
            # A fault of ours in one delivery must not take the others down with it.
            log.exception("%s: the work failed", delivery.id)
            self._journal.finish(delivery.id, f"{type(error).__name__}: {error}")
        else:
            self._journal.finish(delivery.id)
