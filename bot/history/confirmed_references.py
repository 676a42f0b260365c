"""Confirms references in messages: whether a commit really makes, or takes back, the change of the commit it names.

git is asked in bulk and each verdict is stored. A commit never changes, so a verdict stays valid.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from bot.git.repository import Repository
from bot.git.same_change import borne_out
from bot.history.commit_graph import Commits, Position
from bot.history.store import HistoryStore
from bot.models import Progress, silent

Pair = tuple[Position, Position]
T = TypeVar("T")

_MAKES, _UNDOES = "makes", "undoes"
_CHUNK = 2000


class ConfirmedReferences:
    """Verdicts on pairs of commits. If a commit's objects are missing, the verdict is no, and that is stored too.

    Files that a glob of `leave_out` matches need not be changed for a commit to make the change of another one.
    """

    def __init__(
        self,
        repository: Repository,
        store: HistoryStore,
        commits: Commits,
        progress: Progress = silent,
        leave_out: Sequence[str] = (),
    ) -> None:
        self._repository, self._store, self._commits, self._progress = repository, store, commits, progress
        self._leave_out = leave_out
        # What a commit has to make depends on what is left out, what it has to take back does not.
        self._makes = f"{_MAKES} {json.dumps(leave_out)}" if leave_out else _MAKES
        self._known = {topic: store.cached_results(topic) for topic in (self._makes, _UNDOES)}

    def with_same_change(self, pairs: Iterable[Pair]) -> set[Pair]:
        """Return the pairs whose first commit makes the change of the second one."""
        return self._confirm(self._makes, set(pairs))

    def with_reverts(self, read: Callable[[Callable[[Position, Position], bool]], T]) -> T:
        """Call a reader of history with a function that tells whether a commit takes back the change of another one.

        The reader is called twice. The first call collects the pairs, so that git is asked for all of them at once.
        """
        pairs: set[Pair] = set()

        def believe(commit: Position, target: Position) -> bool:
            # Every claim is believed at first, so that each pair that can matter is collected.
            pairs.add((commit, target))
            return True

        read(believe)
        self._confirm(_UNDOES, pairs)
        return read(lambda commit, target: bool(self._confirm(_UNDOES, {(commit, target)})))

    def _confirm(self, topic: str, pairs: set[Pair]) -> set[Pair]:
        verdicts = self._known[topic]
        unknown = sorted(pair for pair in pairs if self._key(pair) not in verdicts)
        # In chunks, so that progress is shown and an interrupted run keeps what it has.
        for begin in range(0, len(unknown), _CHUNK):
            if len(unknown) > _CHUNK:
                self._progress(f"{len(unknown) - begin} words of messages left to compare with what was changed")
            chunk = {
                tuple(self._commits[position].sha for position in pair): pair
                for pair in unknown[begin : begin + _CHUNK]
            }
            confirmed_pairs = borne_out(
                self._repository,
                [(commit, target) for commit, target in chunk],
                reverse=topic == _UNDOES,
                leave_out=self._leave_out if topic == self._makes else (),
            )
            new_verdicts = {self._key(pair): shas in confirmed_pairs for shas, pair in chunk.items()}
            self._store.keep_results(topic, new_verdicts)
            verdicts |= new_verdicts
        return {pair for pair in pairs if verdicts[self._key(pair)]}

    def _key(self, pair: Pair) -> str:
        commit, target = pair
        return f"{self._commits[commit].sha} {self._commits[target].sha}"
