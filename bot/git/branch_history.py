"""What branches have that some originals have not, read in one walk for all of them.

Owns the walk. In a large repository it costs about the same for one branch as for fifty, since most of it goes over
what main got since they parted; so branches that will be asked about together are announced together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.git.log import LoggedCommit, read_log
from bot.git.repository import Repository
from bot.models import Sha

_MOST_KEPT = 200


@dataclass(frozen=True, slots=True)
class BranchHistory:
    """A branch's own commits, children before parents, and the commits that it shares with the originals' history."""

    commits: tuple[LoggedCommit, ...]
    shared: frozenset[Sha]


@dataclass(frozen=True, slots=True)
class _Announced:
    """Branches to be read together, and what was read of them, which comes with the first question."""

    commits: tuple[Sha, ...] = ()
    tips: frozenset[Sha] = frozenset()
    listed: Mapping[Sha, LoggedCommit] | None = None


class BranchOnlyCommits:
    """The histories of branches without those of some originals; the ones announced last are kept.

    Threads may share it.
    """

    def __init__(self) -> None:
        self._announced = _Announced()
        self._shared: dict[tuple[tuple[Sha, ...], Sha], frozenset[Sha]] = {}

    def announce(self, commits: Sequence[Sha], tips: Iterable[Sha]) -> None:
        """Say which branches will be asked about for which originals; all of them are here."""
        self._announced = _Announced(tuple(commits), frozenset(tips))

    def together(self, commits: Sequence[Sha], tip: Sha) -> int:
        """Return how many branches were announced with this one for these originals, itself included; else 1."""
        announced = self._announced
        return len(announced.tips) if announced.commits == tuple(commits) and tip in announced.tips else 1

    def read(self, repository: Repository, tip: Sha, commits: Sequence[Sha], paths: Sequence[str]) -> BranchHistory:
        """Return the history of one branch; of the paths that its commits changed only these are told.

        The paths are the same whenever the originals are.
        """
        found = self._read(repository, tip, commits, paths)
        if len(self._shared) >= _MOST_KEPT:
            self._shared.clear()
        self._shared[tuple(commits), tip] = found.shared
        return found

    def shared(self, commits: Sequence[Sha], tip: Sha) -> frozenset[Sha]:
        """Return the shared commits of what was read of late; empty where that was not."""
        return self._shared.get((tuple(commits), tip), frozenset())

    def _read(self, repository: Repository, tip: Sha, commits: Sequence[Sha], paths: Sequence[str]) -> BranchHistory:
        announced = self._announced
        if announced.commits != tuple(commits) or tip not in announced.tips:
            return _reached(_list(repository, [tip], commits, paths), tip)
        listed = announced.listed
        if listed is None:
            listed = _list(repository, sorted(announced.tips), commits, paths)
            self._announced = replace(announced, listed=listed)
        return _reached(listed, tip)


def _list(
    repository: Repository, tips: Iterable[Sha], commits: Iterable[Sha], paths: Iterable[str]
) -> dict[Sha, LoggedCommit]:
    return {each.sha: each for each in read_log(repository, tips, commits, paths)}


def _reached(listed: Mapping[Sha, LoggedCommit], tip: Sha) -> BranchHistory:
    seen: set[Sha] = set()
    shared: set[Sha] = set()
    waiting = [tip]
    while waiting:
        sha = waiting.pop()
        if sha not in listed:
            shared.add(sha)
        elif sha not in seen:
            seen.add(sha)
            waiting += listed[sha].parents
    return BranchHistory(tuple(each for sha, each in listed.items() if sha in seen), frozenset(shared))
