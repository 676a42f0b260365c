"""Where a file was before it was moved, from the commits that moved it.

Owns the question to history. Two trees that are far apart do not tell: a file that was moved and then reworked is no
longer like what it was, but at the commit that moved it, it was.
"""

from __future__ import annotations

from bot.git.objects import decode_path
from bot.git.repository import Repository
from bot.git.tree import find_entry
from bot.model import Sha

_MOST_MOVES = 3


def find_older_path(repository: Repository, path: str, *, since: Sha, until: Sha, tree: Sha) -> str | None:
    """Return the path that a tree has of a file which was moved to `path` between two commits, if it was moved.

    `until` has the file at `path`; `since` is an earlier commit. A file that was moved more than three times is not
    followed further.
    """
    here = path
    for _move in range(_MOST_MOVES):
        moved = _added_in(repository, here, f"{since}..{until}")
        source = _moved_from(repository, moved, here) if moved else None
        if moved is None or source is None:
            return None
        if find_entry(repository, tree, source) is not None:
            return source
        here, until = source, repository.commit(moved).parents[0]
    return None


def _added_in(repository: Repository, path: str, commits: str) -> Sha | None:
    wanted = ("log", "-1", "--no-renames", "--diff-filter=A", "--format=%H", commits)
    found = repository.git.attempt("--literal-pathspecs", *wanted, "--", path).stdout.decode().strip()
    return Sha(found) if found else None


def _moved_from(repository: Repository, commit: Sha, path: str) -> str | None:
    wanted = ("diff-tree", "-r", "-z", "--no-commit-id", "--find-renames", "--diff-filter=R", "--name-status")
    fields = iter(repository.git.attempt(*wanted, commit).stdout.split(b"\0"))
    moves = {decode_path(next(fields)): decode_path(source) for score in fields if score for source in (next(fields),)}
    return moves.get(path)
