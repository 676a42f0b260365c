"""Changes of files on main, read once for all branches of a request that conflict in them.

Most branches left main long ago, so each of them would read nearly the same history.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from bot.git.first_parents import FirstParents
from bot.git.line_history import FileChange, file_changes
from bot.git.repository import Repository
from bot.models import Sha

_SECONDS = 0.7
"""Seconds for one reading. Older changes were hardly the last ones to touch a line in conflict."""

_ALL_SECONDS = 3.0
"""For all readings about one commit of main."""


class MainlineChanges:
    """The changes of files before one commit of main. Another commit of main replaces them."""

    def __init__(self, line: FirstParents) -> None:
        self._line = line
        self._main: Sha | None = None
        self._read: dict[str, Sequence[FileChange]] = {}
        self._left = 0.0

    def read(
        self, repository: Repository, main: Sha, since: Sha | None, paths: Sequence[str]
    ) -> Mapping[str, tuple[FileChange, ...]]:
        """Return the changes that `main` has and `since` has not, newest first, of each path there was time for."""
        if main != self._main:
            # One request asks about one commit of main, so the changes of one are kept.
            self._main, self._read, self._left = main, {}, _ALL_SECONDS
        unread = [path for path in paths if path not in self._read]
        if unread and self._left > 0:
            began = time.monotonic()
            self._read |= file_changes(repository, None, main, unread, seconds=min(_SECONDS, self._left))
            self._left -= time.monotonic() - began
        line, start, end = self._line.between(repository, since, main)
        within = frozenset(line[start:end])
        changes_by_path = {path: self._read[path] for path in paths if path in self._read}
        return {
            path: tuple(change for change in changes if change.commit in within)
            for path, changes in changes_by_path.items()
        }
