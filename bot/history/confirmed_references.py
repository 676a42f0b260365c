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
        self._known = {topic: store.cached_results(topic) for topic in (_MAKES, _UNDOES)}

    def with_same_change(self, pairs: Iterable[Pair]) -> set[Pair]:
        """Return the pairs of which the first commit makes the change of the second one."""
        return self._ask(_MAKES, set(pairs))

    def with_reverts(self, read: Callable[[Callable[[Position, Position], bool]], T]) -> T:
        """Call a reader of history with a function that says whether a commit takes the change of another one back.

        The reader is called twice: which pairs it asks about is found out first, so that git is asked for all at once.
        """
        pairs: set[Pair] = set()

        def believe(commit: Position, target: Position) -> bool:
            pairs.add((commit, target))
            return True

        read(believe)
        self._ask(_UNDOES, pairs)
        return read(lambda commit, target: bool(self._ask(_UNDOES, {(commit, target)})))

    def _ask(self, topic: str, pairs: set[Pair]) -> set[Pair]:
        verdicts = self._known[topic]
        unknown = sorted(pair for pair in pairs if self._key(pair) not in verdicts)
        for begin in range(0, len(unknown), _CHUNK):
            if len(unknown) > _CHUNK:
                self._progress(f"{len(unknown) - begin} words of messages left to compare with what was changed")
            chunk = {
                tuple(self._commits[position].sha for position in pair): pair
                for pair in unknown[begin : begin + _CHUNK]
            }
            confirmed = borne_out(
                self._repository, [(commit, target) for commit, target in chunk], reverse=topic == _UNDOES
            )
            new_verdicts = {self._key(pair): shas in confirmed for shas, pair in chunk.items()}
            self._store.keep_results(topic, new_verdicts)
            verdicts |= new_verdicts
        return {pair for pair in pairs if verdicts[self._key(pair)]}

    def _key(self, pair: Pair) -> str:
        commit, target = pair
        return f"{self._commits[commit].sha} {self._commits[target].sha}"
