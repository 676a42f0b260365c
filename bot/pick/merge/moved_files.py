"""Finds the older path of a file that main moved after the branch was cut.

The file is then an ordinary conflict of three contents, at the path that the branch has.
"""

from __future__ import annotations

from dataclasses import replace

from bot.git.conflict_markers import Region
from bot.git.objects import EXECUTABLE, REGULAR
from bot.git.trees import find_entry
from bot.models import ConflictKind
from bot.pick.attempt import Attempt
from bot.pick.resolver import ConflictedFile


def as_older_file(file: ConflictedFile, attempt: Attempt) -> ConflictedFile | None:
    """Return a missing file at the path that it had when the branch was cut, or None if the branch has no such file."""
    fork = attempt.fork(file.commit)
    parents = attempt.repository.commit(file.commit).parents
    # The original creates or removes the file itself, so nothing was moved.
    if file.base is None or file.theirs is None or fork is None or not parents:
        return None
    tree = attempt.repository.commit(attempt.plan.base_commit).tree
    moves = attempt.caches.moves
    older = moves.find_older_path(attempt.repository, file.path, since=fork, until=parents[0], tree=tree)
    entry = find_entry(attempt.repository, tree, older) if older is not None else None
    if older is None or entry is None or entry.mode not in (REGULAR, EXECUTABLE):
        return None
    # The whole file is one region, which the finer merge cuts.
    ours = attempt.repository.read_blob(entry.sha)
    unmerged_file = replace(file.unmerged_file, path=older, kind=ConflictKind.CONTENT, ours=entry)
    return replace(
        file, unmerged_file=unmerged_file, ours=ours, parts=(Region(base=file.base, ours=ours, theirs=file.theirs),)
    )
