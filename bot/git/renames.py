"""Finds where a file was before it was moved, from the commits that moved it.

Comparing distant trees misses a file that was moved and rewritten afterwards. The commit that moved it still shows it.
"""

from __future__ import annotations

from bisect import bisect_left

from bot.git.first_parents import FirstParents
from bot.git.objects import decode_path
from bot.git.repository import Repository
from bot.git.trees import find_entry
from bot.models import Sha

_MOST_MOVES = 3
_MOST_KEPT = 1000


class Renames:
    """Finds older paths. Many branches ask about one main branch, so the renames of its commits are cached.

    Threads may share it.
    """

    def __init__(self, line: FirstParents | None = None) -> None:
        self._line = line or FirstParents()
        self._sources: dict[tuple[Sha, str], str | None] = {}

    def find_older_path(self, repository: Repository, path: str, *, since: Sha, until: Sha, tree: Sha) -> str | None:
        """Return the path that a tree has of a file which was moved to `path` between two commits, if it was moved.

        `until` has the file at `path`; `since` is an earlier commit. A file that was moved more than three times is not
        followed further.
        """
        current = path
        for _move in range(_MOST_MOVES):
            commit = self._added_in(repository, current, since, until)
            source = self._moved_from(repository, commit, current) if commit else None
            if commit is None or source is None:
                return None
            if find_entry(repository, tree, source) is not None:
                return source
            current, until = source, repository.commit(commit).parents[0]
        return None

    def _added_in(self, repository: Repository, path: str, since: Sha, until: Sha) -> Sha | None:
        """Return the commit of the first-parent line to `until` that brought a path, which `since` has not.

        Halving the line takes a look at 15 of 30,000 commits; `git log` for the path takes half a second.
        """

        def lacks(sha: Sha) -> bool:
            return find_entry(repository, repository.commit(sha).tree, path) is None

        line, start, end = self._line.between(repository, since, until)
        if start >= end or lacks(until):
            return None
        return line[bisect_left(line, True, lo=start + 1, hi=end, key=lacks) - 1]

    def _moved_from(self, repository: Repository, commit: Sha, path: str) -> str | None:
        if (commit, path) not in self._sources:
            if len(self._sources) >= _MOST_KEPT:
                self._sources = {}
            self._sources[commit, path] = _moves(repository, commit).get(path)
        return self._sources.get((commit, path))


def _moves(repository: Repository, commit: Sha) -> dict[str, str]:
    options = (
        *("diff-tree", "-r", "-z", "--no-commit-id", "--diff-merges=first-parent"),
        *("--find-renames", "--diff-filter=R", "--name-status"),
    )
    fields = iter(repository.git.attempt(*options, commit).stdout.split(b"\0"))
    return {decode_path(next(fields)): decode_path(source) for score in fields if score for source in (next(fields),)}
