"""Sets of earlier commits of main, tried before the originals: which ones, and what each trial came to.

Owns the search. Sets grow by what the first conflict left is about, also where that is a prerequisite's own: they are
stacks. A sweep over the whole project is in no set, or only with its part in files that are given.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from bot.analysis.file_checks import find_faults
from bot.errors import GitError, OutOfTime
from bot.git.batch_trial_picks import try_picks
from bot.git.line_history import FileChange
from bot.git.trees import commit_paths, differing_paths
from bot.git.trial_pick import CleanPick, EmptyPick, UnmergedPick
from bot.history.landed import find_landed
from bot.models import RelatedCommit, Sha
from bot.pick.describe_conflict import Disputed, Histories, related
from bot.pick.partial_commit import paths_in_part, write_part
from bot.pick.strategy import Attempt

_CANDIDATES = 12
_KEPT = 16
"""Sets of one size that are grown further: those that come nearest to applying."""
_AT_ONCE, _FIRST = 16, 4
_MOST_PATHS = 40
"""A commit that changes more is a sweep: nobody would bring it to a stable branch as a prerequisite."""

PrerequisiteSet = tuple[Sha, ...]
"""A set of prerequisites, oldest first."""


@dataclass(frozen=True, slots=True)
class SetTrial:
    """A set and the first pick that conflicts with it, or none and the tree with everything in it."""

    chosen: PrerequisiteSet
    unmerged: UnmergedPick | None
    tree: Sha | None = None

    @property
    def distance(self) -> tuple[bool, int]:
        """How far it is from applying: whether a prerequisite itself conflicts, and in how many places."""
        assert self.unmerged is not None  # noqa: S101 -- for the type checker: only these are compared
        return self.unmerged.commit in self.chosen, sum(max(file.regions, 1) for file in self.unmerged.files)


@dataclass(slots=True)
class PrerequisiteSearch:
    """The search for one conflict, of sets of at most `most`.

    Of sweeps what they change in `shared` files is a candidate; without any they are left out. `reserve` are seconds
    kept for later, `pace` those that a set took of late. `near` are the nearest sets of each size, `left_out` says
    whether a sweep was.
    """

    attempt: Attempt
    histories: Histories
    most: int
    reserve: float
    shared: frozenset[str] = frozenset()
    near: list[SetTrial] = field(default_factory=list)
    left_out: bool = False
    pace: float = 0.0
    _changes: dict[Sha, FileChange] = field(default_factory=dict)
    _order: dict[Sha, int] = field(default_factory=dict)
    _brought: dict[Sha, Sha | None] = field(default_factory=dict)
    _had: dict[Sha, bool] = field(default_factory=dict)
    _parts: dict[Sha, tuple[str, ...]] = field(default_factory=dict)

    @property
    def left(self) -> float:
        """The seconds left."""
        return max(0.0, self.histories.left - self.reserve)

    def named(self, chosen: PrerequisiteSet) -> tuple[RelatedCommit, ...]:
        """Return a set as a report names it."""
        return tuple(replace(related(self._changes[sha]), paths=self._parts.get(sha, ())) for sha in chosen)

    def find(self, first: UnmergedPick) -> PrerequisiteSet:
        """Return a smallest set after which everything applies, or none; keep the sets that come near."""
        if self.most:
            self._order = {sha: index for index, sha in enumerate(self.histories.line())}
        nearest = [SetTrial((), first)]
        for _size in range(self.most):
            tried = list(self._try_all(self._grow(nearest)))
            found = [each.chosen for each in tried if each.tree is not None and self._holds(each.tree)]
            lightest = sorted(found, key=self._weight)
            chosen = next(filter(self.is_lacking, lightest), None)
            if chosen is not None:
                return chosen
            conflicting = [each for each in tried if each.unmerged is not None]
            nearest = sorted(conflicting, key=lambda each: each.distance)[:_KEPT]
            self.near += nearest
        return ()

    def is_lacking(self, chosen: PrerequisiteSet) -> bool:
        """Say whether the branch has nothing of a set, in whatever form: what counts as landed is not brought again."""
        return not any(self._has(self._changes[sha].commit) for sha in chosen)

    def _has(self, sha: Sha) -> bool:
        if sha not in self._had:
            repository, base = self.attempt.repository, self.attempt.plan.base_commit
            told = any(repository.is_ancestor(each.commit, base) for each in self.attempt.backports(sha))
            self._had[sha] = told and sha in find_landed(repository, base, (sha,))
        return self._had[sha]

    def _holds(self, tree: Sha) -> bool:
        """Say whether files pass the checks; where commits come whole, their own project has seen to that."""
        if not self.shared:
            return True
        repository = self.attempt.repository
        base = repository.commit(self.attempt.plan.base_commit).tree
        theirs = repository.commit(self.attempt.commits[-1]).tree
        paths = tuple(differing_paths(repository, base, tree))
        return not find_faults(repository, tree, onto=base, theirs=theirs, paths=paths)

    def _grow(self, sets: Sequence[SetTrial]) -> list[PrerequisiteSet]:
        wanted = {file.path for each in sets if each.unmerged for file in each.unmerged.files}
        self.histories.read(self.histories.main, sorted(wanted), share=0.5)
        grown: dict[PrerequisiteSet, None] = {}
        for each in sets:
            if each.unmerged is None or not self.left:
                continue
            for sha in self._candidates(each.unmerged, each.chosen):
                grown[tuple(sorted((*each.chosen, sha), key=lambda one: -self._order[one]))] = None
        return list(grown)

    def _candidates(self, pick: UnmergedPick, chosen: PrerequisiteSet) -> Sequence[Sha]:
        """Return the commits before the one that conflicts that changed what it conflicts about, likeliest first."""
        parts = self.attempt.split(pick)
        limit = self._order.get(pick.commit, -1)
        votes: dict[Sha, int] = {}
        for file in pick.files:
            disputed = Disputed.of(file, parts.get(file.path, ()))
            for change in disputed.by_main(self.histories.changes(self.histories.main, file.path)):
                if self._order.get(change.commit, -1) > limit:
                    self._changes[change.commit] = change
                    votes[change.commit] = votes.get(change.commit, 0) + 1
        likeliest = sorted(votes, key=lambda sha: (-votes[sha], self._order[sha]))
        brought = (as_brought for sha in likeliest if (as_brought := self._as_brought(sha)) is not None)
        return list(islice((sha for sha in brought if sha not in chosen), _CANDIDATES))

    def _as_brought(self, sha: Sha) -> Sha | None:
        """Return what of a commit is a candidate: all of it, of a sweep its part in the shared files, or nothing."""
        if sha not in self._brought:
            paths = commit_paths(self.attempt.repository, self.attempt.repository.commit(sha))
            is_sweep = len(list(islice(paths, _MOST_PATHS + 1))) > _MOST_PATHS
            self._brought[sha] = self._part(sha) if is_sweep else sha
            self.left_out = self.left_out or is_sweep
        return self._brought[sha]

    def _part(self, sha: Sha) -> Sha | None:
        paths = paths_in_part(self.attempt.repository, sha, self.shared) if self.shared else ()
        part = write_part(self.attempt.repository, sha, paths)
        if part is not None:
            self._parts[part] = paths
            self._order[part] = self._order[sha]
            self._changes[part] = self._changes[sha]
        return part

    def _try_all(self, sets: Sequence[PrerequisiteSet]) -> Iterator[SetTrial]:
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

    def _try_some(self, sets: Sequence[PrerequisiteSet]) -> Iterator[SetTrial]:
        """Pick each set and then the originals, side by side: one git process for each step of all of them."""
        base = self.attempt.repository.commit(self.attempt.plan.base_commit).tree
        trees = dict.fromkeys(sets, base)
        for step in range(self.most + len(self.attempt.commits)):
            under_way = {each: series[step] for each in trees if step < len(series := (*each, *self.attempt.commits))}
            if under_way and not self.left:
                trees = {each: tree for each, tree in trees.items() if each not in under_way}
                break
            self._try_new({(sha, trees[each]) for each, sha in under_way.items()})
            for each, sha in under_way.items():
                pick = self.attempt.trials.get((sha, trees[each]))
                if isinstance(pick, CleanPick):
                    trees[each] = pick.tree
                elif isinstance(pick, EmptyPick) and sha not in each:
                    pass  # an original that the prerequisites bring with them
                else:
                    del trees[each]  # also one that changes nothing: a smaller set does as well
                    if isinstance(pick, UnmergedPick):
                        yield SetTrial(each, pick)
        yield from (SetTrial(each, None, tree) for each, tree in trees.items())

    def _try_new(self, wanted: set[tuple[Sha, Sha]]) -> None:
        new = wanted - self.attempt.trials.keys()
        answers = try_picks(self.attempt.repository, new, self.left) if new else {}
        self.attempt.trials.update({each: pick for each, pick in answers.items() if not isinstance(pick, GitError)})

    def _weight(self, chosen: Iterable[Sha]) -> int:
        repository = self.attempt.repository
        return sum(len(list(commit_paths(repository, repository.commit(sha)))) for sha in chosen)
