"""The commits of a repository in memory, parents before children, and reachability between them.

A position is a commit's index in the list. A parent's position is always smaller than its child's.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from bot.history.message_references import References
from bot.models import Sha

Position = int
NameT = TypeVar("NameT")


@dataclass(frozen=True, slots=True)
class IndexedCommit:
    """The part of a commit that stays in memory. Dates are seconds since the epoch.

    `paths_digest` is equal for equal sets of paths and 0 for none. `number` is the pull request in the commit's title.
    """

    sha: Sha
    parents: tuple[Position, ...]
    commit_date: int
    author_date: int
    author: str
    subject: str
    paths_digest: int
    number: int | None
    references: References


class Commits:
    """All commits that were read, by position."""

    def __init__(self, commits: Sequence[IndexedCommit]) -> None:
        self._commits = commits

    def __getitem__(self, position: Position) -> IndexedCommit:
        return self._commits[position]

    def __len__(self) -> int:
        return len(self._commits)

    @cached_property
    def _positions(self) -> Mapping[str, Position]:
        return {commit.sha: position for position, commit in enumerate(self._commits)}

    @cached_property
    def _sorted_shas(self) -> Sequence[str]:
        return sorted(self._positions)

    def find(self, name: str) -> Position | None:
        """Return the commit that a hash means, perhaps abbreviated; None if there is none or more than one."""
        if name in self._positions:
            return self._positions[name]
        index = bisect_left(self._sorted_shas, name)
        # An abbreviation is a prefix, so in sorted order its matches are neighbours.
        matches = [sha for sha in self._sorted_shas[index : index + 2] if sha.startswith(name)]
        return self._positions[matches[0]] if len(matches) == 1 else None

    def require(self, sha: Sha) -> Position:
        """Return the position of a commit; KeyError if it was not read."""
        return self._positions[sha]

    def first_parents(self, tip: Position) -> Iterator[Position]:
        """Yield a commit, its first parent, that one's first parent, and so on."""
        position: Position | None = tip
        while position is not None:
            yield position
            position = next(iter(self._commits[position].parents), None)

    def reachability_masks(self, starts: Iterable[Position]) -> Sequence[int]:
        """Return a bit mask for each position: bit n is set if the n-th start reaches it."""
        masks = [0] * len(self._commits)
        for bit, start in enumerate(starts):
            masks[start] |= 1 << bit
        # Parents come before children, so one pass from the end reaches every ancestor.
        for position in range(len(masks) - 1, -1, -1):
            if mask := masks[position]:
                for parent in self._commits[position].parents:
                    masks[parent] |= mask
        return masks

    def carriers(
        self, chain: Sequence[Position], within: Container[Position] | None = None
    ) -> dict[Position, Position]:
        """Return `carriers` of a first-parent chain (newest first) of these commits."""
        return carriers(chain, lambda position: self._commits[position].parents, within)


def carriers(
    chain: Sequence[NameT], parents: Callable[[NameT], Sequence[NameT]], within: Container[NameT] | None = None
) -> dict[NameT, NameT]:
    """Map each commit behind a first-parent chain (newest first) to the commit of the chain that brought it.

    A commit of the chain brought itself. With `within` only those commits are looked at.
    """
    owner = {name: name for name in chain}
    # Oldest first: a later merge brings only commits that no earlier one brought.
    for name in reversed(chain):
        stack = list(parents(name)[1:])
        while stack:
            parent = stack.pop()
            if parent not in owner and (within is None or parent in within):
                owner[parent] = name
                stack.extend(parents(parent))
    return owner
