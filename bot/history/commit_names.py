"""Finds commits by the names that a revert's message may use: hash, hash of the source, number or title.

A revert may be made on the branch, or on main and then picked with main's names in its message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from bot.history.message_references import References, own_number, without_own_number

C = TypeVar("C")

# Shorter hexadecimal words are not taken for hashes; 7 is git's own default of `core.abbrev`.
_SHORTEST = 7


class CommitNames(Generic[C]):
    """The commits that were added so far. If several have the same name, the newest is meant."""

    def __init__(self) -> None:
        self._by_start: dict[str, list[tuple[str, C]]] = defaultdict(list)
        self._by_number: dict[int, C] = {}
        self._by_title: dict[str, C] = {}

    def add(self, commit: C, subject: str, hashes: Iterable[str]) -> None:
        """Add a commit. `hashes` are its own and those of its sources, perhaps abbreviated."""
        for name in hashes:
            self._by_start[name[:_SHORTEST]].append((name, commit))
        number = own_number(subject)
        if number is not None:
            self._by_number[number] = commit
        self._by_title[subject] = self._by_title[without_own_number(subject)] = commit

    def reverted_commits(self, references: References) -> Iterator[C]:
        """Yield the commits that a message says it reverts."""
        for name in references.reverts:
            entries = self._by_start.get(name[:_SHORTEST], ())
            yield from [commit for full, commit in entries if full.startswith(name) or name.startswith(full)][-1:]
        yield from (self._by_number[number] for number in references.reverts_numbers if number in self._by_number)
        yield from (self._by_title[title] for title in references.undoes_titles if title in self._by_title)
