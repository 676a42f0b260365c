"""Searches sets of earlier commits of main that make a pick possible, and tries each set.

A set grows by the commits that its first remaining conflict is about, even if a prerequisite itself conflicts. A sweep
over the whole project is in no set, or only with its changes in given files.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from bot.analysis.file_checks import find_faults
from bot.errors import GitError, OutOfTime
from bot.git import fetch_ahead
from bot.git.batch_trial_picks import try_picks
from bot.git.line_history import FileChange
from bot.git.trees import commit_paths, differing_paths
from bot.git.trial_pick import CleanPick, EmptyPick, UnmergedPick
from bot.history.landed import find_landed
from bot.models import RelatedCommit, Sha
from bot.pick.attempt import Attempt
from bot.pick.describe_conflict import DisputedLines, Histories, related_commit
from bot.pick.partial_commit import paths_in_part, write_part

_CANDIDATES = 12
_MOST_SETS = 16
"""Sets of one size that are grown further: those that come nearest to applying."""
# The first batch is small, because the time for a set is not known yet.
_AT_ONCE, _FIRST = 16, 4
_MOST_PATHS = 40
"""A commit that changes more paths is a sweep. Nobody would bring it to a stable branch as a prerequisite."""

PrerequisiteSet = tuple[Sha, ...]
"""A set of prerequisites, oldest first."""


@dataclass(frozen=True, slots=True)
class SetTrial:
    """A set and the first pick that conflicts with it, or none and the tree with everything in it."""

    commits: PrerequisiteSet
    conflict: UnmergedPick | None
    tree: Sha | None = None

    @property
    def distance(self) -> tuple[bool, int]:
        """How far it is from applying: whether a prerequisite itself conflicts, and in how many places."""
        assert self.conflict is not None  # noqa: S101 -- for the type checker: only these are compared
        return self.conflict.commit in self.commits, sum(max(file.regions, 1) for file in self.conflict.files)


@dataclass(slots=True)
class PrerequisiteSearch:
    """The search for the prerequisites of one conflict, in sets of at most `max_size` commits.

    A sweep is a candidate only with its changes in `shared_paths`; without such paths it is left out, and
    `has_left_out_sweep` says so. `reserve` is the time kept for later and `pace` the time that the last set took, both
    in seconds. `near_sets` are the nearest sets of each size.
    """

    attempt: Attempt
    histories: Histories
    max_size: int
    reserve: float
    shared_paths: frozenset[str] = frozenset()
    near_sets: list[SetTrial] = field(default_factory=list)
    has_left_out_sweep: bool = False
    pace: float = 0.0
    _changes: dict[Sha, FileChange] = field(default_factory=dict)
    _order: dict[Sha, int] = field(default_factory=dict)
    _candidate_of: dict[Sha, Sha | None] = field(default_factory=dict)
    _is_on_branch: dict[Sha, bool] = field(default_factory=dict)
    _parts: dict[Sha, tuple[str, ...]] = field(default_factory=dict)

    @property
    def seconds_left(self) -> float:
        """The seconds left."""
        return max(0.0, self.histories.seconds_left - self.reserve)

    def related_commits(self, prerequisites: PrerequisiteSet) -> tuple[RelatedCommit, ...]:
        """Return a set as a report names it."""
        return tuple(
            replace(related_commit(self._changes[sha]), paths=self._parts.get(sha, ())) for sha in prerequisites
        )

    def find(self, first: UnmergedPick) -> PrerequisiteSet:
        """Return a smallest set after which everything applies, or () if there is none; keep the nearest sets."""
        if self.max_size:
            self._order = {sha: index for index, sha in enumerate(self.histories.line())}
        nearest = [SetTrial((), first)]
        for _size in range(self.max_size):
            trials = list(self._try_all(self._grow(nearest)))
            sets = [trial.commits for trial in trials if trial.tree is not None and self._holds(trial.tree)]
            # Of several sets of one size, the one that changes the fewest files is the least risk.
            lightest = sorted(sets, key=self._weight)
            smallest = next(filter(self.is_lacking, lightest), None)
            if smallest is not None:
                return smallest
            conflicts = [trial for trial in trials if trial.conflict is not None]
            nearest = sorted(conflicts, key=lambda trial: trial.distance)[:_MOST_SETS]
            self.near_sets += nearest
        return ()

    def is_lacking(self, prerequisites: PrerequisiteSet) -> bool:
        """Return True if no commit of a set has landed on the branch in any form."""
        return not any(self._branch_has(self._changes[sha].commit) for sha in prerequisites)

    def _branch_has(self, sha: Sha) -> bool:
        if sha not in self._is_on_branch:
            repository, base = self.attempt.repository, self.attempt.plan.base_commit
            # This is cheap. The comparison of changes is made only if some backport is on the branch.
            is_claimed = any(repository.is_ancestor(backport.commit, base) for backport in self.attempt.backports(sha))
            self._is_on_branch[sha] = is_claimed and sha in find_landed(
                repository, base, (sha,), leave_out=self.attempt.leave_out
            )
        return self._is_on_branch[sha]

    def _holds(self, tree: Sha) -> bool:
        """Return True if the files pass the checks. Sets of whole commits need none: their own project tested them."""
        if not self.shared_paths:
            return True
        repository = self.attempt.repository
        base = repository.commit(self.attempt.plan.base_commit).tree
        theirs = repository.commit(self.attempt.commits[-1]).tree
        paths = tuple(differing_paths(repository, base, tree))
        return not find_faults(repository, tree, target=base, theirs=theirs, paths=paths)

    def _grow(self, sets: Sequence[SetTrial]) -> list[PrerequisiteSet]:
        paths = {file.path for trial in sets if trial.conflict for file in trial.conflict.files}
        self.histories.read(self.histories.main, sorted(paths), share=0.5)
        larger: dict[PrerequisiteSet, None] = {}
        for trial in sets:
            # A set that applies needs no further commits.
            if trial.conflict is None or not self.seconds_left:
                continue
            for sha in self._candidates(trial.conflict, trial.commits):
                larger[tuple(sorted((*trial.commits, sha), key=lambda commit: -self._order[commit]))] = None
        return list(larger)

    def _candidates(self, pick: UnmergedPick, prerequisites: PrerequisiteSet) -> Sequence[Sha]:
        """Return earlier commits that changed the lines in conflict, likeliest first."""
        parts = self.attempt.split(pick)
        # A prerequisite precedes the commit that conflicts. An original is not in this order.
        limit = self._order.get(pick.commit, -1)
        votes: dict[Sha, int] = {}
        for file in pick.files:
            lines = DisputedLines.of(file, parts.get(file.path, ()))
            for change in lines.by_main(self.histories.changes(self.histories.main, file.path)):
                if self._order.get(change.commit, -1) > limit:
                    self._changes[change.commit] = change
                    votes[change.commit] = votes.get(change.commit, 0) + 1
        # A commit that changed several of the conflicting files is more likely the missing one.
        likeliest = sorted(votes, key=lambda sha: (-votes[sha], self._order[sha]))
        fetch_ahead.trees_of(self.attempt.repository, likeliest[: 2 * _CANDIDATES])
        candidates = (candidate for sha in likeliest if (candidate := self._as_brought(sha)) is not None)
        return list(islice((sha for sha in candidates if sha not in prerequisites), _CANDIDATES))

    def _as_brought(self, sha: Sha) -> Sha | None:
        """Return the commit itself, of a sweep its part in the shared files, or None."""
        if sha not in self._candidate_of:
            paths = commit_paths(self.attempt.repository, self.attempt.repository.commit(sha))
            # The paths are read lazily, because a sweep can change thousands.
            is_sweep = len(list(islice(paths, _MOST_PATHS + 1))) > _MOST_PATHS
            self._candidate_of[sha] = self._part(sha) if is_sweep else sha
            self.has_left_out_sweep = self.has_left_out_sweep or is_sweep
        return self._candidate_of[sha]

    def _part(self, sha: Sha) -> Sha | None:
        paths = paths_in_part(self.attempt.repository, sha, self.shared_paths) if self.shared_paths else ()
        part = write_part(self.attempt.repository, sha, paths)
        if part is not None:
            self._parts[part] = paths
            self._order[part] = self._order[sha]
            self._changes[part] = self._changes[sha]
        return part

    def _try_all(self, sets: Sequence[PrerequisiteSet]) -> Iterator[SetTrial]:
        """Try sets until the time is up, at once as many as should take half of the time left."""
        start = 0
        while start < len(sets) and self.seconds_left > self.pace:
            count = max(1, min(_AT_ONCE, int(self.seconds_left / 2 / self.pace))) if self.pace else _FIRST
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
        for step in range(self.max_size + len(self.attempt.commits)):
            next_commits = {
                prerequisites: series[step]
                for prerequisites in trees
                if step < len(series := (*prerequisites, *self.attempt.commits))
            }
            if next_commits and not self.seconds_left:
                trees = {
                    prerequisites: tree for prerequisites, tree in trees.items() if prerequisites not in next_commits
                }
                break
            # All trials of one step go to one git process.
            self._try_new({(sha, trees[prerequisites]) for prerequisites, sha in next_commits.items()})
            for prerequisites, sha in next_commits.items():
                pick = self.attempt.trials.get((sha, trees[prerequisites]))
                if isinstance(pick, CleanPick):
                    trees[prerequisites] = pick.tree
                elif isinstance(pick, EmptyPick) and sha not in prerequisites:
                    pass  # the prerequisites contain this original
                else:
                    # A prerequisite that changes nothing is dropped too: the smaller set does the same.
                    del trees[prerequisites]
                    if isinstance(pick, UnmergedPick):
                        yield SetTrial(prerequisites, pick)
        yield from (SetTrial(prerequisites, None, tree) for prerequisites, tree in trees.items())

    def _try_new(self, keys: set[tuple[Sha, Sha]]) -> None:
        new = keys - self.attempt.trials.keys()
        results = (
            try_picks(self.attempt.repository, new, self.seconds_left, leave_out=self.attempt.leave_out) if new else {}
        )
        self.attempt.trials.update({key: pick for key, pick in results.items() if not isinstance(pick, GitError)})

    def _weight(self, prerequisites: Iterable[Sha]) -> int:
        repository = self.attempt.repository
        return sum(len(list(commit_paths(repository, repository.commit(sha)))) for sha in prerequisites)
