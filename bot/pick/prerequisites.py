"""What a pick is missing: the smallest set of earlier commits of main after which it applies, verified by trial.

Owns the search. A set counts only if git itself picks every one of it and then the originals without a conflict. Sets
grow by what the first conflict left is about, also where that is a prerequisite's own: they are stacks.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from bot.errors import OutOfTime
from bot.git.line_history import FileChange
from bot.git.tree import commit_paths
from bot.git.trial import CleanPick, EmptyPick, UnmergedPick
from bot.git.trials import try_picks
from bot.model import RelatedCommit, Sha
from bot.pick.describe import Disputed, Histories, related
from bot.pick.rung import Attempt

_CANDIDATES = 12
_KEPT = 16
"""Sets of one size that are grown further: those that come nearest to applying."""
_AT_ONCE, _FIRST = 16, 4
_MOST_PATHS = 40
"""A sweep over the whole project is no prerequisite that anybody would bring to a stable branch."""

Chosen = tuple[Sha, ...]
"""A set of prerequisites, oldest first."""


@dataclass(frozen=True, slots=True)
class _Tried:
    """A set and the first pick that conflicts with it, or none."""

    chosen: Chosen
    unmerged: UnmergedPick | None

    @property
    def distance(self) -> tuple[bool, int]:
        """How far it is from applying: whether a prerequisite itself conflicts, and in how many places."""
        assert self.unmerged is not None  # noqa: S101 -- for the type checker: only these are compared
        return self.unmerged.commit in self.chosen, sum(max(file.regions, 1) for file in self.unmerged.files)


def find_prerequisites(
    attempt: Attempt, histories: Histories, first: UnmergedPick, *, most: int
) -> tuple[RelatedCommit, ...]:
    """Return the smallest set found of at most `most` commits of main after which the originals apply, oldest first.

    Empty where there is none, or none was found before the histories' deadline.
    """
    return _Search(attempt, histories, most).find(first)


@dataclass(slots=True)
class _Search:
    """The search for one conflict; `pace` is the seconds that a set took of late."""

    attempt: Attempt
    histories: Histories
    most: int
    changes: dict[Sha, FileChange] = field(default_factory=dict)
    order: dict[Sha, int] = field(default_factory=dict)
    small: dict[Sha, bool] = field(default_factory=dict)
    pace: float = 0.0

    def find(self, first: UnmergedPick) -> tuple[RelatedCommit, ...]:
        if self.most:
            self.order = {sha: index for index, sha in enumerate(self.histories.line())}
        nearest = [_Tried((), first)]
        for _size in range(self.most):
            tried = list(self._try_all(self._grow(nearest)))
            found = [each.chosen for each in tried if each.unmerged is None]
            if found:
                return tuple(related(self.changes[sha]) for sha in min(found, key=self._weight))
            nearest = sorted(tried, key=lambda each: each.distance)[:_KEPT]
        return ()

    def _grow(self, sets: Sequence[_Tried]) -> list[Chosen]:
        wanted = {file.path for each in sets if each.unmerged for file in each.unmerged.files}
        self.histories.read(self.histories.main, sorted(wanted), share=0.5)
        grown: dict[Chosen, None] = {}
        for each in sets:
            if each.unmerged is None or not self.histories.left:
                continue
            for sha in self._candidates(each.unmerged, each.chosen):
                grown[tuple(sorted((*each.chosen, sha), key=lambda one: -self.order[one]))] = None
        return list(grown)

    def _candidates(self, pick: UnmergedPick, chosen: Chosen) -> Sequence[Sha]:
        """Return the commits before the one that conflicts that changed what it conflicts about, likeliest first."""
        parts = self.attempt.split(pick)
        limit = self.order.get(pick.commit, -1)
        votes: dict[Sha, int] = {}
        for file in pick.files:
            disputed = Disputed.of(file, parts.get(file.path, ()))
            for change in disputed.by_main(self.histories.changes(self.histories.main, file.path)):
                if self.order.get(change.commit, -1) > limit and change.commit not in chosen:
                    self.changes[change.commit] = change
                    votes[change.commit] = votes.get(change.commit, 0) + 1
        likeliest = sorted(votes, key=lambda sha: (-votes[sha], self.order[sha]))
        return list(islice((sha for sha in likeliest if self._is_small(sha)), _CANDIDATES))

    def _is_small(self, sha: Sha) -> bool:
        if sha not in self.small:
            paths = commit_paths(self.attempt.repository, self.attempt.repository.commit(sha))
            self.small[sha] = len(list(islice(paths, _MOST_PATHS + 1))) <= _MOST_PATHS
        return self.small[sha]

    def _try_all(self, sets: Sequence[Chosen]) -> Iterator[_Tried]:
        """Try sets until the time is up, as many at once as half of what is left should do for."""
        start = 0
        while start < len(sets) and self.histories.left > self.pace:
            count = max(1, min(_AT_ONCE, int(self.histories.left / 2 / self.pace))) if self.pace else _FIRST
            began = time.monotonic()
            try:
                yield from self._try_some(sets[start : start + count])
            except OutOfTime:
                return
            self.pace = (time.monotonic() - began) / count
            start += count

    def _try_some(self, sets: Sequence[Chosen]) -> Iterator[_Tried]:
        """Pick each set and then the originals, side by side: one git process for each step of all of them."""
        base = self.attempt.repository.commit(self.attempt.plan.base_commit).tree
        trees = dict.fromkeys(sets, base)
        for step in range(self.most + len(self.attempt.commits)):
            under_way = {each: series[step] for each in trees if step < len(series := (*each, *self.attempt.commits))}
            if under_way and not self.histories.left:
                trees = {each: tree for each, tree in trees.items() if each not in under_way}
                break
            wanted = {(sha, trees[each]) for each, sha in under_way.items()}
            answers = try_picks(self.attempt.repository, wanted, self.histories.left)
            for each, sha in under_way.items():
                pick = answers[sha, trees[each]]
                if isinstance(pick, CleanPick):
                    trees[each] = pick.tree
                elif isinstance(pick, EmptyPick) and sha not in each:
                    pass  # an original that the prerequisites bring with them
                else:
                    del trees[each]  # also one that changes nothing: a smaller set does as well
                    if isinstance(pick, UnmergedPick):
                        yield _Tried(each, pick)
        yield from (_Tried(each, None) for each in trees)

    def _weight(self, chosen: Iterable[Sha]) -> int:
        repository = self.attempt.repository
        return sum(len(list(commit_paths(repository, repository.commit(sha)))) for sha in chosen)
