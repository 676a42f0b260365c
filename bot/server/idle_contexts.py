"""The open contexts of repositories that no job uses at the moment, kept for the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from bot.pipeline.context import RepositoryContext
from bot.server.served_repository import ServedRepository

_MOST = 16
"""Each has a few connections and processes."""


@dataclass(slots=True)
class OpenContext:
    """A context, with what it was opened for and what closes it."""

    repository: ServedRepository
    context: RepositoryContext
    stack: ExitStack


class IdleContexts:
    """A few open contexts, that used last at the end. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._contexts: list[OpenContext] = []

    def take(self, served: ServedRepository) -> OpenContext | None:
        """Take a context of a repository, and close those that were opened before it changed."""
        taken: OpenContext | None = None

        def is_of_no_use(idle: OpenContext) -> bool:
            return idle.repository.id == served.id and idle.repository != served

        with self._lock:
            fitting = [idle for idle in self._contexts if idle.repository == served]
            if fitting:
                taken = fitting[-1]
                self._contexts = [idle for idle in self._contexts if idle is not taken]
        self._close(is_of_no_use)
        return taken

    def give(self, context: OpenContext) -> None:
        """Give a context back; if there are too many, those that were used longest ago are closed."""
        with self._lock:
            self._contexts.append(context)
            surplus, self._contexts = self._contexts[:-_MOST], self._contexts[-_MOST:]
        for idle in surplus:
            idle.stack.close()

    def drop(self, repository_id: int) -> None:
        """Close those of a repository."""
        self._close(lambda idle: idle.repository.id == repository_id)

    def close(self) -> None:
        """Close all."""
        self._close(lambda _idle: True)

    def _close(self, is_of_no_use: Callable[[OpenContext], bool]) -> None:
        with self._lock:
            closing = [idle for idle in self._contexts if is_of_no_use(idle)]
            self._contexts = [idle for idle in self._contexts if not is_of_no_use(idle)]
        for idle in closing:
            idle.stack.close()
