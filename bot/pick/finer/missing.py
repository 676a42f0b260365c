"""Files that one side does not have: what the original edits is not there, or what it removes was changed.

Owns the two answers that history bears out: an edit of a missing file is dropped and said so, a removal is kept.
"""

from __future__ import annotations

from bot.model import Certainty, ConflictKind
from bot.pick.rung import Attempt, ConflictedFile, FileAnswer

CAME_LATER = "came later"
"""The trait of a missing file that main got after the branch left it."""


class MissingFile:
    """Answers modify/delete conflicts."""

    name = "missing file"

    def resolve_file(self, file: ConflictedFile, attempt: Attempt) -> FileAnswer | None:
        """Drop the edit of a file that the target lacks; remove a file that the original removes."""
        if file.unmerged.kind is not ConflictKind.MODIFY_DELETE:
            return None
        later = file.ours is None and not _was_at_the_fork(file, attempt)
        traits = frozenset([CAME_LATER]) if later else frozenset()
        return FileAnswer({file.path: None}, Certainty.PROPOSED, _sentence(file, later=later), traits=traits)


def _was_at_the_fork(file: ConflictedFile, attempt: Attempt) -> bool:
    fork = attempt.fork(file.commit)
    return fork is not None and attempt.repository.read(fork, file.path) is not None


def _sentence(file: ConflictedFile, *, later: bool) -> str:
    if file.ours is not None:
        return f"{file.path} is removed, as the original does; the branch had changed it"
    if later:
        return f"the change of {file.path} is left out: main got that file after the branch left it"
    return f"the change of {file.path} is left out: the branch has removed that file"
