"""Which words of messages the commits bear out, by position, asked of git in bulk and kept.

Owns the record. What a commit changes never changes, so a verdict stays true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from bot.git.line_changes import borne_out
from bot.git.repository import Repository
from bot.history.commits import Commits, Position
from bot.history.store import HistoryStore
from bot.models import Progress, silent

Pair = tuple[Position, Position]
T = TypeVar("T")

_MAKES, _UNDOES = "makes", "undoes"
_CHUNK = 2000


class ConfirmedReferences:
    """Verdicts on pairs of commits. Without the objects of a commit nothing is borne out, and that is kept, too."""

    def __init__(
        self, repository: Repository, store: HistoryStore, commits: Commits, progress: Progress = silent
    ) -> None:
        self._repository, self._store, self._commits, self._progress = repository, store, commits, progress
        self._known = {topic: store.answers(topic) for topic in (_MAKES, _UNDOES)}

    def making(self, pairs: Iterable[Pair]) -> set[Pair]:
        """Return the pairs of which the first commit makes the change of the second one."""
        return self._ask(_MAKES, set(pairs))

    def with_reverts(self, read: Callable[[Callable[[Position, Position], bool]], T]) -> T:
        """Call a reader of history with a function that says whether a commit takes the change of another one back.

        The reader is called twice: which pairs it asks about is found out first, so that git is asked for all at once.
        """
        asked: set[Pair] = set()

        def believe(one: Position, other: Position) -> bool:
            asked.add((one, other))
            return True

        read(believe)
        self._ask(_UNDOES, asked)
        return read(lambda one, other: bool(self._ask(_UNDOES, {(one, other)})))

    def _ask(self, topic: str, pairs: set[Pair]) -> set[Pair]:
        known = self._known[topic]
        missing = sorted(pair for pair in pairs if self._key(pair) not in known)
        for begin in range(0, len(missing), _CHUNK):
            if len(missing) > _CHUNK:
                self._progress(f"{len(missing) - begin} words of messages left to compare with what was changed")
            chunk = {tuple(self._commits[at].sha for at in pair): pair for pair in missing[begin : begin + _CHUNK]}
            yes = borne_out(self._repository, [(one, other) for one, other in chunk], reverse=topic == _UNDOES)
            verdicts = {self._key(pair): shas in yes for shas, pair in chunk.items()}
            self._store.keep_answers(topic, verdicts)
            known |= verdicts
        return {pair for pair in pairs if known[self._key(pair)]}

    def _key(self, pair: Pair) -> str:
        one, other = pair
        return f"{self._commits[one].sha} {self._commits[other].sha}"
