"""Commits of branches that the originals' history lacks, read in one walk for several branches.

In a large repository the walk mostly covers main since the branch point, so that fifty branches cost about as much as
one. Announce all branches before the first query.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.git import fetch_ahead
from bot.git.log import LoggedCommit, read_log
from bot.git.repository import Repository
from bot.models import Sha

_MOST_KEPT = 200


@dataclass(frozen=True, slots=True)
class BranchHistory:
    """The commits of one branch alone, children before parents, and those where it left the originals' history."""

    commits: tuple[LoggedCommit, ...]
    shared_commits: frozenset[Sha]


@dataclass(frozen=True, slots=True)
class _BranchGroup:
    """Branches to be read in one walk; `log` is what the walk found, None before the first query."""

    commits: tuple[Sha, ...] = ()
    tips: frozenset[Sha] = frozenset()
    log: Mapping[Sha, LoggedCommit] | None = None


class BranchOnlyCommits:
    """Reads the commits that branches have and the originals' history lacks. The branches announced last are cached.

    Threads may share it.
    """

    def __init__(self) -> None:
        self._announced = _BranchGroup()
        self._shared: dict[tuple[tuple[Sha, ...], Sha], frozenset[Sha]] = {}

    def announce(self, commits: Sequence[Sha], tips: Iterable[Sha]) -> None:
        """Announce the branches and originals of the next queries; all of them are in the repository."""
        self._announced = _BranchGroup(tuple(commits), frozenset(tips))

    def together(self, commits: Sequence[Sha], tip: Sha) -> int:
        """Return how many branches were announced with this one for these originals, itself included; else 1."""
        group = self._announced
        return len(group.tips) if group.commits == tuple(commits) and tip in group.tips else 1

    def read(self, repository: Repository, tip: Sha, commits: Sequence[Sha], paths: Sequence[str]) -> BranchHistory:
        """Return the history of one branch; its commits name no changed paths but these.

        Equal originals come with equal paths.
        """
        history = self._read(repository, tip, commits, paths)
        if len(self._shared) >= _MOST_KEPT:
            self._shared.clear()
        self._shared[tuple(commits), tip] = history.shared_commits
        return history

    def shared_commits(self, commits: Sequence[Sha], tip: Sha) -> frozenset[Sha]:
        """Return the shared commits of a branch that was read lately; empty otherwise."""
        return self._shared.get((tuple(commits), tip), frozenset())

    def _read(self, repository: Repository, tip: Sha, commits: Sequence[Sha], paths: Sequence[str]) -> BranchHistory:
        group = self._announced
        if group.commits != tuple(commits) or tip not in group.tips:
            return _walk(_list(repository, [tip], commits, paths), tip)
        log = group.log
        if log is None:
            log = _list(repository, sorted(group.tips), commits, paths)
            self._announced = replace(group, log=log)
        return _walk(log, tip)


def _list(
    repository: Repository, tips: Iterable[Sha], commits: Iterable[Sha], paths: Iterable[str]
) -> dict[Sha, LoggedCommit]:
    tips, commits, paths = list(tips), list(commits), list(paths)
    excluded = fetch_ahead.branch_history(repository, tips, commits, paths)
    return {commit.sha: commit for commit in read_log(repository, tips, [*commits, *excluded], paths, ready=True)}


def _walk(log: Mapping[Sha, LoggedCommit], tip: Sha) -> BranchHistory:
    reachable: set[Sha] = set()
    shared_commits: set[Sha] = set()
    pending = [tip]
    while pending:
        sha = pending.pop()
        if sha not in log:
            shared_commits.add(sha)
        elif sha not in reachable:
            reachable.add(sha)
            pending += log[sha].parents
    return BranchHistory(tuple(commit for sha, commit in log.items() if sha in reachable), frozenset(shared_commits))
