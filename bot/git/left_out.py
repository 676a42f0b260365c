"""Removes from a commit's change the files that are never picked.

The caller names them by globs over paths, as in `pick.leave_out` of the configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.git.objects import DIRECTORY, Entry
from bot.git.trees import changed_tree, commit_paths, differing_paths, find_entry
from bot.models import Sha
from bot.text.globs import matches_any

if TYPE_CHECKING:
    from bot.git.repository import Repository


def paths_left_out(repository: Repository, commit: Sha, globs: Sequence[str]) -> tuple[str, ...]:
    """Return the paths that a commit changes and a glob matches, sorted."""
    paths = commit_paths(repository, repository.commit(commit)) if globs else ()
    return tuple(sorted(path for path in paths if matches_any(globs, path)))


def tree_without(repository: Repository, before: Sha, tree: Sha, globs: Sequence[str]) -> Sha:
    """Write the tree in which every file that a glob matches is as in the tree `before`."""
    paths = [path for path in differing_paths(repository, before, tree) if matches_any(globs, path)] if globs else []
    return changed_tree(repository, tree, {path: _file(repository, before, path) for path in paths}) if paths else tree


def _file(repository: Repository, tree: Sha, path: str) -> Entry | None:
    entry = find_entry(repository, tree, path)
    return None if entry is None or entry.mode == DIRECTORY else entry


def commit_without(repository: Repository, sha: Sha, globs: Sequence[str]) -> Sha:
    """Write the commit without its changes in these files, on its first parent; return itself if it has none there."""
    commit = repository.commit(sha)
    if not commit.parents:
        return sha
    tree = tree_without(repository, repository.commit(commit.parents[0]).tree, commit.tree, globs)
    if tree == commit.tree:
        return sha
    return repository.writer.write_commit(tree, commit.parents[:1], commit.message, commit.author, commit.committer)
