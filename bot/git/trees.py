"""The files of a commit, and new trees made from old ones.

A new tree costs as much as the directories it touches, never as much as the whole tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bot.git import fetch_ahead
from bot.git.objects import DIRECTORY, EMPTY_TREE, REGULAR, SUBMODULE, Entry, decode_path, format_tree
from bot.git.tree_cache import Listing
from bot.models import Commit, Sha

if TYPE_CHECKING:
    from bot.git.repository import Repository


class CommitTree:
    """The files of a commit (or of a bare tree object) as a SourceTree."""

    def __init__(self, repository: Repository, commit: Sha) -> None:
        self.repository = repository
        self.commit = commit

    def read(self, path: str) -> bytes | None:
        """Return the file's bytes, or None if the tree has no such file."""
        return self.repository.read(self.commit, path)

    def paths(self) -> Iterator[str]:
        """Yield the path of every file, sorted; submodules are no files."""
        yield from self.repository.paths(self.commit)


def list_directory(repository: Repository, tree: Sha, directory: str = "") -> dict[str, Entry]:
    """Return the entries of one directory; nothing if there is none."""
    if directory:
        inner = find_entry(repository, tree, directory)
        if inner is None or inner.mode != DIRECTORY:
            return {}
        tree = inner.sha
    return _decode(repository.tree_cache.entries(tree))


def _decode(listing: Listing) -> dict[str, Entry]:
    return {decode_path(name): Entry(mode.decode(), Sha(sha.hex())) for mode, name, sha in listing.values()}


def find_entry(repository: Repository, tree: Sha, path: str) -> Entry | None:
    """Return what a tree holds at a path: a file, a link, a submodule or a directory."""
    return repository.tree_cache.find(tree, path)


def list_files(repository: Repository, tree: Sha) -> Iterator[tuple[str, Entry]]:
    """Yield path and entry of everything in a tree that is no directory, in git's order."""
    for line in repository.git.run("ls-tree", "-r", "-z", "--full-tree", tree).split(b"\0")[:-1]:
        fields, _, path = line.partition(b"\t")
        mode, _, sha = fields.split(b" ")
        yield decode_path(path), Entry(mode.decode(), Sha(sha.decode()))


def list_submodules(repository: Repository, commit: Sha) -> tuple[str, ...]:
    """Return the paths of a commit's submodules."""
    if repository.read(commit, ".gitmodules") is None:
        return ()
    return tuple(path for path, entry in list_files(repository, commit) if entry.mode == SUBMODULE)


def changed_tree(repository: Repository, tree: Sha, changes: Mapping[str, Entry | None]) -> Sha:
    """Write the tree that differs from `tree` in these entries; None removes a file, a link or a submodule.

    A directory at such a path stays: removing a file means no folder of the same name. Directories left empty
    disappear.

    Raises:
        GitError: a directory on the way is missing, so what else it holds would be lost.
    """
    changes_by_directory = _by_directory(changes)
    directories = sorted(changes_by_directory, key=lambda directory: directory.count("/") + bool(directory))
    trees, listings = {"": tree}, dict[str, dict[str, Entry]]()
    # Level by level, not by recursion: a commit may hold directories deeper than Python's stack.
    for directory in directories:
        if directory:
            parent, _, name = directory.rpartition("/")
            old = listings[parent].get(name)
            trees[directory] = old.sha if old is not None and old.mode == DIRECTORY else EMPTY_TREE
        listings[directory] = _decode(repository.tree_cache.require_entries([trees[directory]])[0])
        for name, entry in changes_by_directory[directory].items():
            _set(listings[directory], name, entry)
    for directory in reversed(directories):
        new_tree = repository.writer.write("tree", format_tree(listings[directory]))
        if directory:
            parent, _, name = directory.rpartition("/")
            _set_directory(listings[parent], name, old=trees[directory], new=new_tree)
    return new_tree


def _by_directory(changes: Mapping[str, Entry | None]) -> dict[str, dict[str, Entry | None]]:
    """Return the changes by the directory that they are in; every directory on the way is there too."""
    changes_by_directory: dict[str, dict[str, Entry | None]] = {"": {}}
    for path, entry in changes.items():
        directory, _, name = path.rpartition("/")
        changes_by_directory.setdefault(directory, {})[name] = entry
        while (directory := directory.rpartition("/")[0]) not in changes_by_directory:
            changes_by_directory[directory] = {}
    return changes_by_directory


def _set_directory(entries: dict[str, Entry], name: str, *, old: Sha, new: Sha) -> None:
    # A removal below something that is no directory has nothing to remove.
    if new != EMPTY_TREE:
        entries[name] = Entry(DIRECTORY, new)
    elif old != EMPTY_TREE:
        del entries[name]


def _set(entries: dict[str, Entry], name: str, entry: Entry | None) -> None:
    if entry is None:
        if name in entries and entries[name].mode != DIRECTORY:
            del entries[name]
    else:
        entries[name] = entry


def changed_files(
    repository: Repository, tree: Sha, contents: Mapping[str, bytes | None], modes: Mapping[str, str] | None = None
) -> Sha:
    """Write the tree in which these files have these contents; a file that was there keeps its mode."""
    changes: dict[str, Entry | None] = {}
    for path, content in contents.items():
        if content is None:
            changes[path] = None
            continue
        old = find_entry(repository, tree, path)
        mode = old.mode if old is not None and old.mode not in (DIRECTORY, SUBMODULE) else REGULAR
        changes[path] = Entry((modes or {}).get(path, mode), repository.writer.write("blob", content))
    return changed_tree(repository, tree, changes)


def differing_paths(repository: Repository, old: Sha, new: Sha) -> Iterator[str]:
    """Yield the paths of the files, links and submodules in which two trees differ; a rename is both its paths."""
    return iter(repository.tree_cache.differing_paths(old, new))


def commit_paths(repository: Repository, commit: Commit) -> Iterator[str]:
    """Yield the paths that a commit changes against its first parent."""
    before = repository.commit(commit.parents[0]).tree if commit.parents else EMPTY_TREE
    fetch_ahead.trees(repository, (before, commit.tree))
    return differing_paths(repository, before, commit.tree)
