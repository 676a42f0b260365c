"""What happened to files on main, read once for all the branches of a request that conflict in them.

Owns how long that may take: most branches left main long ago, and each would read nearly the same.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from bot.git.first_parents import FirstParents
from bot.git.line_history import FileChange, file_changes
from bot.git.repository import Repository
from bot.models import Sha

_SECONDS = 0.7
"""For one reading; what is further back was hardly the last to touch a line."""

_ALL_SECONDS = 3.0
"""For all readings about one commit of main."""


class MainlineChanges:
    """The changes of files before one commit of main, the one that was asked about last."""

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
