"""What a pick is missing: the smallest set of earlier commits of main after which it applies, verified by trial.

Owns the search. A set counts only if git itself picks every one of it without a conflict, and then the originals; or if
these conflict in fewer places than they do alone, and the ladder resolves those. Sets grow by what the first conflict
left is about, also where that is a prerequisite's own: they are stacks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from bot.errors import GitError, OutOfTime
from bot.git.line_history import FileChange
from bot.git.tree import commit_paths
from bot.git.trial import CleanPick, EmptyPick, UnmergedPick
from bot.git.trials import try_picks
from bot.model import Certainty, ConflictKind, RelatedCommit, Sha
from bot.pick.describe import Disputed, Histories, related
from bot.pick.rung import Attempt, Made

_CANDIDATES = 12
_KEPT = 16
"""Sets of one size that are grown further: those that come nearest to applying."""
_AT_ONCE, _FIRST = 16, 4
_MOST_PATHS = 40
"""A sweep over the whole project is no prerequisite that anybody would bring to a stable branch."""

_RESERVED = 0.35
"""The share of the time for what the ladder resolves: of sets that apply 95 in 100 are found in half of the time."""

Chosen = tuple[Sha, ...]
"""A set of prerequisites, oldest first."""

Climb = Callable[[Attempt], Made | None]
"""Climbs the ladder for an attempt; None where no rung makes a candidate."""


@dataclass(frozen=True, slots=True)
class Prerequisites:
    """A verified set, oldest first; `rest` is how sure the resolution is of what conflicts with it, None: nothing."""

    commits: tuple[RelatedCommit, ...] = ()
    rest: Certainty | None = None


NONE = Prerequisites()


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
    attempt: Attempt, histories: Histories, first: UnmergedPick, *, most: int, climb: Climb
) -> Prerequisites:
    """Return the smallest set found of at most `most` commits of main after which the originals apply.

    Where there is none, the smallest after which the ladder makes the rest of them, a certain one first. Empty where
    there is no such either, or none was found before the histories' deadline.
    """
    search = _Search(attempt, histories, most, reserve=histories.left * _RESERVED)
    chosen = search.find(first)
    if chosen:
        return Prerequisites(search.named(chosen))
    search.reserve = 0.0
    return search.find_resolvable(climb)


@dataclass(slots=True)
class _Search:
    """The search for one conflict; `pace` is the seconds that a set took of late, `reserve` those kept for later."""

    attempt: Attempt
    histories: Histories
    most: int
    reserve: float
    changes: dict[Sha, FileChange] = field(default_factory=dict)
    order: dict[Sha, int] = field(default_factory=dict)
    small: dict[Sha, bool] = field(default_factory=dict)
    near: list[_Tried] = field(default_factory=list)
    pace: float = 0.0

    @property
    def left(self) -> float:
        """The seconds left."""
        return max(0.0, self.histories.left - self.reserve)

    def named(self, chosen: Chosen) -> tuple[RelatedCommit, ...]:
        """Return a set as a report names it."""
        return tuple(related(self.changes[sha]) for sha in chosen)

    def find(self, first: UnmergedPick) -> Chosen:
        """Return a smallest set after which everything applies, or none; keep the sets that come near."""
        if self.most:
            self.order = {sha: index for index, sha in enumerate(self.histories.line())}
        nearest = [_Tried((), first)]
        for _size in range(self.most):
            tried = list(self._try_all(self._grow(nearest)))
            found = [each.chosen for each in tried if each.unmerged is None]
            if found:
                return min(found, key=self._weight)
            nearest = sorted(tried, key=lambda each: each.distance)[:_KEPT]
            self.near += (each for each in nearest if self._is_near(each, first))
        return ()

    def _is_near(self, each: _Tried, first: UnmergedPick) -> bool:
        """Say whether the ladder may make something of a set.

        Of conflicts of the prerequisites themselves only what is certain counts, and that is about whole files.
        """
        assert each.unmerged is not None  # noqa: S101 -- for the type checker: what applies is not near but there
        if each.unmerged.commit in each.chosen:
            return all(file.kind is ConflictKind.MODIFY_DELETE for file in each.unmerged.files)
        return each.distance < _Tried((), first).distance or bool(self.attempt.backports(each.unmerged.commit))

    def find_resolvable(self, climb: Climb) -> Prerequisites:
        """Return the smallest of the near sets after which the rest can be resolved, a certain one first."""
        found = NONE
        longest = 0.0
        for each in self.near:
            if self.left <= longest:
                break
            began = time.monotonic()
            made = self._resolve(each.chosen, climb)
            longest = max(longest, time.monotonic() - began)
            if made and made.certainty is Certainty.CERTAIN:
                return Prerequisites(self.named(each.chosen), made.certainty)
            if made and not found.commits:
                found = Prerequisites(self.named(each.chosen), made.certainty)
        return found

    def _resolve(self, chosen: Chosen, climb: Climb) -> Made | None:
        """Climb the ladder with the originals on a base that has the prerequisites, if these are certain."""
        # No tool is run for a trial: that takes minutes. The carried patch, if there is one, is of the originals.
        attempt = replace(self.attempt, regenerator=None)
        alone = replace(attempt.plan, commits=chosen, patch=None, check=None)
        brought = climb(replace(attempt, plan=alone, commits=chosen))
        if brought is None or brought.certainty is not Certainty.CERTAIN:
            return None
        plan = replace(attempt.plan, base_commit=brought.commits[-1])
        return climb(replace(attempt, plan=plan, forks={}))

    def _grow(self, sets: Sequence[_Tried]) -> list[Chosen]:
        wanted = {file.path for each in sets if each.unmerged for file in each.unmerged.files}
        self.histories.read(self.histories.main, sorted(wanted), share=0.5)
        grown: dict[Chosen, None] = {}
        for each in sets:
            if each.unmerged is None or not self.left:
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
        while start < len(sets) and self.left > self.pace:
            count = max(1, min(_AT_ONCE, int(self.left / 2 / self.pace))) if self.pace else _FIRST
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
            if under_way and not self.left:
                trees = {each: tree for each, tree in trees.items() if each not in under_way}
                break
            wanted = {(sha, trees[each]) for each, sha in under_way.items()}
            answers = try_picks(self.attempt.repository, wanted, self.left)
            self.attempt.trials.update({each: pick for each, pick in answers.items() if not isinstance(pick, GitError)})
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
