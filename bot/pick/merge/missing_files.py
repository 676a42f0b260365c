"""Resolves conflicts of files that one side lacks: the original edits a missing file, or removes a changed one.

An edit of a missing file is made at the path where the branch has that file, or it is left out. A removal is kept.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from bot.git.repository import Repository
from bot.git.trees import commit_paths, find_entry
from bot.models import Certainty, ConflictKind, Sha
from bot.pick.attempt import Attempt
from bot.pick.merge.moved_files import as_older_file
from bot.pick.resolver import ConflictedFile, FileResolution, FileResolver

CAME_LATER = "came later"
WITH_ITS_FOLDER = "came later with its folder"
MOVED_ON_MAIN = "moved"
"""Traits of a missing file: main got it after the branch was cut; main got its whole folder too, to which the original
adds nothing; main moved it there since.
"""


class MissingFile:
    """Resolves modify/delete conflicts. `merge` resolves a file that the target has at an older path."""

    name = "missing file"

    def __init__(self, merge: FileResolver) -> None:
        self.merge = merge

    def resolve_file(self, file: ConflictedFile, attempt: Attempt) -> FileResolution | None:
        """Leave out the edit of a file that the target lacks; remove a file that the original removes."""
        if file.unmerged_file.kind is not ConflictKind.MODIFY_DELETE:
            return None
        # A file at the fork point was removed by the branch, maybe for a reason. Only a later file has no place there.
        came_later = file.ours is None and not _was_at_the_fork(file, attempt)
        older = as_older_file(file, attempt) if came_later else None
        if older is not None:
            # An edit at the path that only main has would create a second copy of the file.
            return self._at_the_older_path(file, older, attempt)
        traits = set()
        if came_later:
            traits = {CAME_LATER, WITH_ITS_FOLDER} if _lacks_the_folder(file, attempt) else {CAME_LATER}
        return FileResolution(
            {file.path: None}, Certainty.PROPOSED, _sentence(file, is_newer=came_later), traits=frozenset(traits)
        )

    def _at_the_older_path(
        self, file: ConflictedFile, older: ConflictedFile, attempt: Attempt
    ) -> FileResolution | None:
        resolution = self.merge.resolve_file(older, attempt)
        if resolution is None:
            return None
        explanation = f"the change of {file.path} is made in {older.path}, from where main has moved that file"
        return replace(
            resolution,
            changes={**resolution.changes, file.path: None},
            explanation=explanation,
            traits=frozenset([MOVED_ON_MAIN]),
        )


def _was_at_the_fork(file: ConflictedFile, attempt: Attempt) -> bool:
    fork = attempt.fork(file.commit)
    return fork is not None and attempt.repository.read(fork, file.path) is not None


def _lacks_the_folder(file: ConflictedFile, attempt: Attempt) -> bool:
    """Return True if the target lacks the folder too, and no commit of the pick adds to it."""
    repository = attempt.repository
    tree = repository.commit(attempt.plan.base_commit).tree
    parents = [str(parent) for parent in reversed(PurePosixPath(file.path).parents[:-1])]
    new_folder = next((folder for folder in parents if find_entry(repository, tree, folder) is None), None)
    return new_folder is not None and not any(_adds_to(new_folder, sha, repository) for sha in attempt.commits)


def _adds_to(folder: str, original: Sha, repository: Repository) -> bool:
    commit = repository.commit(original)
    inside = [path for path in commit_paths(repository, commit) if path.startswith(f"{folder}/")]
    return any(not commit.parents or repository.read(commit.parents[0], path) is None for path in inside)


def _sentence(file: ConflictedFile, *, is_newer: bool) -> str:
    if file.ours is not None:
        return f"{file.path} is removed, as the original does; the branch had changed it"
    if is_newer:
        return f"the change of {file.path} is left out: main got that file after the branch left it"
    return f"the change of {file.path} is left out: the branch has removed that file"
