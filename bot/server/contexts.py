"""Lends contexts to jobs that run side by side: what is open in one context serves one thread at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from bot.config import Config
from bot.pipeline.context import RepositoryContext

OpenContext = Callable[[], AbstractContextManager[RepositoryContext]]
"""Opens a repository anew: with a mirror object and a client of its own, on the same folder."""


class ContextPool:
    """Opens a repository when no open context of it is free; keeps the contexts for later jobs until `close`."""

    def __init__(self, open_context: OpenContext) -> None:
        self._open = open_context
        self._lock, self._opening = threading.Lock(), threading.Lock()
        self._free: list[RepositoryContext] = []
        self._stack = ExitStack()
        self.config: Config | None = None
        """The configuration, as it was when the repository was last opened; None before that."""

    @contextmanager
    def lend(self) -> Iterator[RepositoryContext]:
        """Lend a context to this thread while the block runs.

        Raises:
            GitHubError: the repository could not be opened.
        """
        context = self._take() or self._open_another()
        try:
            yield context
        finally:
            with self._lock:
                self._free.append(context)

    def close(self) -> None:
        """Close every context, once no job runs any more."""
        self._stack.close()

    def _take(self) -> RepositoryContext | None:
        with self._lock:
            return self._free.pop() if self._free else None

    def _open_another(self) -> RepositoryContext:
        # Two that open the mirror for the first time would both create it.
        with self._opening, ExitStack() as stack:
            context = stack.enter_context(self._open())
            with self._lock:
                self._stack.push(stack.pop_all().__exit__)
            self.config = context.config
        return context
