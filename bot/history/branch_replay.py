"""A branch's commits gone through in their order: what each brings, and what a revert takes away.

Owns the rule of all rooms. A revert takes away what the commit that it reverts had brought, a revert of the revert
brings it back, and so does a second landing. A message only says which commit is meant: whether its change was really
taken back is asked of the commits.
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
    """The commit of the branch that brought an original, or took it away, and what showed it."""

    commit: C
    reason: str


@dataclass(slots=True)
class Replay(Generic[C, K]):
    """What a branch has after the commits that were told so far, oldest first.

    `undoes` says whether a commit takes the change of another one back, `short` is how a commit is called in a reason.
    """

    undoes: Callable[[C, C], bool]
    short: Callable[[C], str]
    present: dict[K, Landing[C]] = field(default_factory=dict)
    reverted: dict[K, Landing[C]] = field(default_factory=dict)
    _originals_by_commit: dict[C, set[K]] = field(default_factory=dict)
    _reverted_by_commit: dict[C, set[K]] = field(default_factory=dict)

    def bring(self, commits: Iterable[C], original: K, reason: str) -> None:
        """Note that an original landed with a commit, and with those by which that one reached the branch."""
        first, *carriers = commits
        for commit in (first, *carriers):
            self._originals_by_commit.setdefault(commit, set()).add(original)
        self.reverted.pop(original, None)
        self.present.setdefault(original, Landing(first, reason))

    def brought_anything(self, commit: C) -> bool:
        """Say whether a commit brought or took away any original: a revert of others changes nothing here."""
        return commit in self._originals_by_commit or commit in self._reverted_by_commit

    def take_back(self, commits: Iterable[C], targets: Iterable[C]) -> None:
        """Note that a commit says it reverts others of the branch; `commits` as for `bring`."""
        first, *carriers = commits
        for target in dict.fromkeys(targets):
            if target == first or not self.brought_anything(target) or not self.undoes(first, target):
                continue
            for original in self._reverted_by_commit.pop(target, ()):
                self.bring((first, *carriers), original, f"{self.short(first)} reverts the revert {self.short(target)}")
            self._take(first, carriers, target)

    def _take(self, commit: C, carriers: Iterable[C], target: C) -> None:
        originals = {original for original in self._originals_by_commit.get(target, ()) if original in self.present}
        # What a revert of a revert brought is noted with that commit; it does not take it away again at once.
        originals -= self._originals_by_commit.get(commit, set())
        for original in originals:
            landing = self.present.pop(original)
            reason = f"{self.short(landing.commit)} brought it and {self.short(commit)} reverted that"
            self.reverted[original] = Landing(commit, reason)
        for carrier in (commit, *carriers) if originals else ():
            self._reverted_by_commit.setdefault(carrier, set()).update(originals)
