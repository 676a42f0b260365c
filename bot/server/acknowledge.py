"""Reacts with 👀 to a comment as soon as its delivery arrives, however long the requests before it take.

It has a thread and connections of its own. A reaction that fails is logged; the request is handled all the same.
"""

from __future__ import annotations

import logging
import threading
from queue import SimpleQueue

from bot.commands.parser import holds_command
from bot.commands.triggers import CommentTrigger, Trigger
from bot.github.protocol import GitHub

log = logging.getLogger(__name__)


class Acknowledger:
    """Reacts to the comments that hold a command, from `start` until `stop`. `github` is used by its thread alone."""

    def __init__(self, github: GitHub) -> None:
        self._github = github
        self._triggers: SimpleQueue[Trigger | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="backport-acknowledger", daemon=True)

    def start(self) -> None:
        """Begin to wait for triggers."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Ask the thread to end after what it has in hand, and wait that long (seconds)."""
        self._triggers.put(None)
        self._thread.join(timeout)

    def notice(self, trigger: Trigger) -> None:
        """Take note of a trigger and return at once."""
        self._triggers.put(trigger)

    def _run(self) -> None:
        while (trigger := self._triggers.get()) is not None:
            try:
                self._acknowledge(trigger)
            except Exception:
                log.exception("A comment got no sign that it was seen")

    def _acknowledge(self, trigger: Trigger) -> None:
        if not isinstance(trigger, CommentTrigger) or not holds_command(trigger.body):
            return
        # Of a repository that was renamed, or is not served, the worker knows more.
        if trigger.repository.casefold() == self._github.repository.casefold():
            self._github.react(trigger.comment_id, "eyes")
