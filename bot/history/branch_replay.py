"""Replays a branch's commits in order: the originals that each brings, and those that a revert takes away.

A revert takes away the originals that the reverted commit brought. A revert of the revert brings them back, and so does
a second landing. A message only names the commit; `undoes` compares whether its change was really taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

C = TypeVar("C", bound=Hashable)
"""A commit of the branch, by whatever names it."""
K = TypeVar("K", bound=Hashable)
"""An original, likewise."""


@dataclass(frozen=True, slots=True)
class Landing(Generic[C]):
    """The commit of the branch that brought or took away an original, and the reason."""

    commit: C
    reason: str


@dataclass(slots=True)
class Replay(Generic[C, K]):
    """The originals that a branch has after the commits so far, oldest first.

    `undoes` tells whether a commit takes back the change of another one. `short` names a commit in a reason.
    """

    undoes: Callable[[C, C], bool]
    short: Callable[[C], str]
    present: dict[K, Landing[C]] = field(default_factory=dict)
    reverted: dict[K, Landing[C]] = field(default_factory=dict)
    _originals_by_commit: dict[C, set[K]] = field(default_factory=dict)
    _reverted_by_commit: dict[C, set[K]] = field(default_factory=dict)

    def bring(self, commits: Iterable[C], original: K, reason: str) -> None:
        """Record that an original landed with the first of `commits`; the others carried it to the branch."""
        first, *carriers = commits
        for commit in (first, *carriers):
            self._originals_by_commit.setdefault(commit, set()).add(original)
        # A second landing after a revert counts.
        self.reverted.pop(original, None)
        self.present.setdefault(original, Landing(first, reason))

    def brought_anything(self, commit: C) -> bool:
        """Return True if a commit brought or took away an original. A revert of any other commit changes nothing."""
        return commit in self._originals_by_commit or commit in self._reverted_by_commit

    def take_back(self, commits: Iterable[C], targets: Iterable[C]) -> None:
        """Record that a commit says that it reverts `targets`; `commits` as for `bring`."""
        first, *carriers = commits
        # A message may name one commit by hash, number and title.
        for target in dict.fromkeys(targets):
            if target == first or not self.brought_anything(target) or not self.undoes(first, target):
                continue
            for original in self._reverted_by_commit.pop(target, ()):
                self.bring((first, *carriers), original, f"{self.short(first)} reverts the revert {self.short(target)}")
            self._take(first, carriers, target)

    def _take(self, commit: C, carriers: Iterable[C], target: C) -> None:
        originals = {original for original in self._originals_by_commit.get(target, ()) if original in self.present}
        # A revert of a revert brings originals itself, and must not take them away at once.
        originals -= self._originals_by_commit.get(commit, set())
        for original in originals:
            landing = self.present.pop(original)
            reason = f"{self.short(landing.commit)} brought it and {self.short(commit)} reverted that"
            self.reverted[original] = Landing(commit, reason)
        for carrier in (commit, *carriers) if originals else ():
            self._reverted_by_commit.setdefault(carrier, set()).update(originals)
