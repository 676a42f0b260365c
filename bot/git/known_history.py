"""What a shallow history says for certain, and what only the whole one could say.

A shallow history is the whole one without some of its edges. So a path that is here is real, while a path that is not
here proves nothing. A commit counts as cut if git does not look at its parents (https://git-scm.com/docs/shallow): all
proofs are made on what git itself sees, so that git's answer is the one that was proven.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from bot.models import Sha

Parents = Callable[[Sha], tuple[Sha, ...] | None]
"""A commit → its parents; None if the commit is not here, or cut."""


@dataclass(frozen=True, slots=True)
class Divergence:
    """Two tips, and what the remote listed of what the one has and the other has not.

    The `sides` are commits that only the one tip reaches, and only the other; `shared` are parents of these that both
    reach. Where such a list has gaps, a path leads to a commit that is neither. All that both reach is among
    the `forks` or before them.
    """

    sides: tuple[frozenset[Sha], frozenset[Sha]]
    shared: frozenset[Sha]
    forks: frozenset[Sha]

    @property
    def own(self) -> frozenset[Sha]:
        """The commits of both sides."""
        return self.sides[0] | self.sides[1]

    def are_apart(self, sha: Sha, others: Iterable[Sha]) -> bool:
        """Say whether a commit is of one side and all others are of the other one."""
        return any(sha in one and other.issuperset(others) for one, other in (self.sides, self.sides[::-1]))

    def holds(self, commits: Iterable[Sha]) -> bool:
        """Say whether all of these commits are own or shared ones."""
        return all(sha in self.own or sha in self.shared for sha in commits)


@dataclass(frozen=True, slots=True)
class Difference:
    """All commits, `own`, that some tips have and the `others` have not, and those of `shared` where they end.

    The shared ones are the others or ancestors of theirs, and no path leads elsewhere from an own one.
    """

    others: frozenset[Sha]
    own: frozenset[Sha]
    shared: frozenset[Sha]


class KnownHistory:
    """The commits that are here, by their parents, and the divergences and differences that were fetched."""

    def __init__(self, parents: Parents) -> None:
        self._parents = parents
        self.divergences: list[Divergence] = []
        self.differences: list[Difference] = []

    def ancestors(self, commits: Iterable[Sha]) -> set[Sha]:
        """Return these commits and the ancestors of theirs to which a path is here."""
        return self._walk(commits, frozenset())[0]

    def exclusions(self, tips: Collection[Sha], commits: Collection[Sha]) -> frozenset[Sha] | None:
        """Return what git must exclude besides `commits` to list exactly what `tips` have and `commits` have not.

        None if what is here does not prove it.
        """
        known = self.ancestors(commits)
        for difference in self.differences:
            if difference.others == frozenset(commits) and (difference.own | difference.shared).issuperset(tips):
                own, cut = self._walk(tips, difference.shared)
                if not cut and own <= difference.own:
                    ends = {parent for sha in own for parent in self._parents(sha) or ()}
                    return difference.shared & ends.union(tips) - known
        beyond, cut = self._walk(tips, known)
        if not cut and all(self._all_reach(beyond, sha) for sha in commits):
            return frozenset()
        for divergence in self.divergences:
            inside = self._is_whole(tips, divergence) and self._has_all_of(tips, commits, divergence)
            # What both tips reach is before the forks, so a commit that has all forks has it, too.
            if inside and any(divergence.forks <= self.ancestors([sha]) for sha in commits):
                return frozenset(divergence.shared & beyond)
        return None

    def tells_ancestor(self, ancestor: Sha, descendant: Sha) -> bool:
        """Say whether it is certain that the one commit is, or is not, an ancestor of the other."""
        ancestors, cut = self._walk([descendant], frozenset())
        if ancestor in ancestors or not cut:
            return True
        # A way up to the only other one would end at it, and nothing of its own is one of its ancestors.
        if any(
            difference.others in (frozenset([ancestor]), frozenset([descendant]))
            and difference.own.issuperset({ancestor, descendant} - difference.others)
            for difference in self.differences
        ):
            return True
        return any(
            ancestor in divergence.own and self._has_all_of([ancestor], [descendant], divergence)
            for divergence in self.divergences
        )

    def tells_merge_base(self, first: Sha, second: Sha) -> bool:
        """Say whether git's merge base of two commits is certain to be that of the whole history."""
        one, other = self.ancestors([first]), self.ancestors([second])
        if first in other or second in one:
            return True
        return any(
            first in divergence.own
            and second in divergence.own
            and self._is_whole([first, second], divergence)
            and len(divergence.forks) == 1
            # Of two shared commits one may be the other's ancestor, which is not to be seen here.
            and divergence.shared & one & other == divergence.forks
            for divergence in self.divergences
        )

    def _has_all_of(self, others: Collection[Sha], commits: Collection[Sha], divergence: Divergence) -> bool:
        """Say whether all own commits that lead to `commits` are here, as far as they may lead to `others` too."""
        # What only one of the tips reaches leads to nothing that only the other one reaches.
        near = [sha for sha in commits if not divergence.are_apart(sha, others)]
        return divergence.holds(commits) and self._is_whole(near, divergence)

    def _is_whole(self, commits: Collection[Sha], divergence: Divergence) -> bool:
        """Say whether commits are of a divergence, and all that leads from them to shared commits is here and own."""
        visited, cut = self._walk(commits, divergence.shared)
        # What a gap hides may be here all the same, and be shared.
        return divergence.holds(commits) and not cut and visited <= divergence.own

    def _walk(self, tips: Iterable[Sha], until: Collection[Sha]) -> tuple[set[Sha], set[Sha]]:
        """Return what leads down from `tips` without `until`, and those of it that are cut or not here."""
        visited: set[Sha] = set()
        cut: set[Sha] = set()
        pending = [sha for sha in tips if sha not in until]
        while pending:
            sha = pending.pop()
            if sha in visited:
                continue
            visited.add(sha)
            parents = self._parents(sha)
            if parents is None:
                cut.add(sha)
            else:
                pending += [parent for parent in parents if parent not in until]
        return visited, cut

    def _all_reach(self, commits: set[Sha], ancestor: Sha) -> bool:
        """Say whether a path leads from each of the commits to an ancestor, so that none is one of its ancestors."""
        children: dict[Sha, list[Sha]] = {}
        for sha in commits:
            for parent in self._parents(sha) or ():
                children.setdefault(parent, []).append(sha)
        reaching: set[Sha] = set()
        pending = [ancestor]
        while pending:
            for child in children.get(pending.pop(), ()):
                if child not in reaching:
                    reaching.add(child)
                    pending.append(child)
        return commits <= reaching
