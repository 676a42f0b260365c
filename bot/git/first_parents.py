"""The commits of a branch along first parents, read once for all that ask.

In a large repository reading the line takes longer than any look-up on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.git.repository import Repository
from bot.models import Sha


@dataclass(frozen=True, slots=True)
class _Line:
    """Commits, newest first, and the place of each. `ends` are the places of the first that lead to other commits."""

    commits: Sequence[Sha] = ()
    place: Mapping[Sha, int] = field(default_factory=dict)
    ends: dict[Sha, int] = field(default_factory=dict)


class FirstParents:
    """The line that was asked for last; whatever leads to a commit on it is a part of it. Threads may share it."""

    def __init__(self) -> None:
        self._line = _Line()

    def between(self, repository: Repository, since: Sha | None, until: Sha) -> tuple[Sequence[Sha], int, int]:
        """Return the line and the part of it, from and up to but not with, that leads to `until` and not to `since`.

        The commits that lead to `since` follow all others, so a count is enough if `since` is not on the line itself.
        """
        line = self._line
        if until not in line.place:
            commits = tuple(Sha(sha) for sha in repository.git.text("rev-list", "--first-parent", until).split())
            line = self._line = _Line(commits, {sha: place for place, sha in enumerate(commits)})
        start = line.place[until]
        if since is None:
            return line.commits, start, len(line.commits)
        if since in line.place:
            return line.commits, start, line.place[since]
        if since not in line.ends:
            count = int(repository.git.text("rev-list", "--first-parent", "--count", until, f"^{since}"))
            if not count:
                # `since` leads to `until`, and perhaps to newer commits of the line.
                return line.commits, start, start
            line.ends[since] = start + count
        return line.commits, start, max(start, line.ends[since])
