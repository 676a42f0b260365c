"""Part of a commit: its changes in some files only, as a commit of its own.

The message has no line `(cherry picked from commit …)`, because with that line the whole commit would count as landed.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.git.commit_message import without_picked_from
from bot.git.repository import Repository
from bot.git.trees import changed_tree, commit_paths, find_entry
from bot.models import Sha
from bot.text.closing_keywords import neutralize_keywords


def write_part(repository: Repository, sha: Sha, paths: Iterable[str]) -> Sha | None:
    """Write the commit with its changes in these paths only, on its first parent. None if it changes none of them."""
    commit = repository.commit(sha)
    if not commit.parents:
        return None
    parent = repository.commit(commit.parents[0])
    changes = {path: find_entry(repository, commit.tree, path) for path in paths}
    tree = changed_tree(repository, parent.tree, changes)
    if tree == parent.tree:
        return None
    return repository.writer.write_commit(tree, (parent.sha,), commit.message, commit.author, commit.committer)


def paths_in_part(repository: Repository, sha: Sha, candidates: Iterable[str]) -> tuple[str, ...]:
    """Return the paths among those wanted that a commit changes, sorted."""
    return tuple(sorted(set(candidates).intersection(commit_paths(repository, repository.commit(sha)))))


def part_message(message: str, sha: Sha, paths: Iterable[str]) -> str:
    """Return the commit's message with a note that this is only a part of it, and of which files."""
    path_list = "\n".join(f"  {path!r}" if "\n" in path else f"  {path}" for path in paths)
    # Without the line "cherry picked from", later requests do not take the part for the whole commit.
    subject, _, body = without_picked_from(neutralize_keywords(message)).strip().partition("\n")
    note = f"This is only a part of commit {sha}, what it changes in:\n{path_list}"
    # A path is the author's text, too.
    return "\n\n".join(filter(None, (subject, neutralize_keywords(note), body.strip()))) + "\n"
