"""What two trees differ in, held against git's own answer, and what stands at a path."""

from __future__ import annotations

import pytest

from bot.errors import GitError
from bot.git import tree_cache
from bot.git.objects import DIRECTORY, EMPTY_TREE, REGULAR, Entry, format_tree
from bot.git.repository import Repository
from bot.git.trees import changed_files, differing_paths, find_entry, list_directory
from bot.models import Sha
from tests.git.history import File, Files, History

ODD = 'caf\udce9/q"u ote\n'
BEFORE: Files = {
    "a": "1",
    "dir/kept": "k",
    "dir/sub/changed": "1",
    "dir/sub/gone": "g",
    "file-to-dir": "f",
    "dir-to-file/x": "x",
    "mode": "m",
    "sorts": "1",
    "sorts.d/x": "1",
    ODD: "odd",
}
AFTER: Files = {
    "a": "1",
    "dir/kept": "k",
    "dir/sub/changed": "2",
    "dir/sub/new": "n",
    "file-to-dir/inner": "f",
    "dir-to-file": "x",
    "mode": File("100755", b"m"),
    "sorts": "2",
    "sorts.d/x": "2",
    ODD: "odder",
    "link": File("120000", b"a"),
}


def _trees(history: History) -> tuple[Sha, Sha]:
    base = history.commit(BEFORE)
    removed_files: Files = dict.fromkeys(set(BEFORE) - set(AFTER))
    return Sha(history.tree(base)), Sha(history.tree(history.commit({**removed_files, **AFTER}, base)))


def test_differing_paths_are_those_that_git_names(history: History, repository: Repository) -> None:
    before, after = _trees(history)
    message = history.git("diff-tree", "-r", "-z", "--name-only", "--no-renames", before, after)
    assert sorted(differing_paths(repository, before, after)) == sorted(message.split("\0")[:-1])
    assert not list(differing_paths(repository, after, after))


def test_entry_is_found_at_its_path_and_nowhere_else(history: History, repository: Repository) -> None:
    _, after = _trees(history)
    paths = {path: find_entry(repository, after, path) for path in (*AFTER, "dir", "no", "dir/no", "a/no", "link/no")}
    modes = {path: entry.mode for path, entry in paths.items() if entry}
    assert modes == dict.fromkeys(AFTER, "100644") | {"mode": "100755", "link": "120000", "dir": "40000"}
    assert list_directory(repository, after, "dir").keys() == {"kept", "sub"}
    assert list_directory(repository, after, "a") == {}


def test_directories_deeper_than_python_s_stack_are_read_and_written(history: History, repository: Repository) -> None:
    """base ── the same with one file changed, 3,000 directories deep"""
    path = "d/" * 3000 + "f"
    base = history.commit({path: "old\n", "g": "g\n"})
    changed_commit = history.commit({path: "new\n"}, base)
    before, after = (repository.commit(commit).tree for commit in (base, changed_commit))
    assert repository.tree_cache.differing_paths(before, after) == (path,)
    assert changed_files(repository, before, {path: b"new\n"}) == after
    assert changed_files(repository, after, {path: None}) == repository.commit(history.commit({path: None}, base)).tree


def test_a_tree_that_stands_for_billions_of_files_is_refused(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten directories in each of ten levels, all the same object: ten billion paths in a kilobyte."""
    monkeypatch.setattr(tree_cache, "_MOST_DIFFERING", 10_000)
    tree = repository.writer.write("tree", format_tree({"f": Entry(REGULAR, repository.writer.write("blob", b"f"))}))
    for _level in range(10):
        tree = repository.writer.write("tree", format_tree({f"d{n}": Entry(DIRECTORY, tree) for n in range(10)}))
    with pytest.raises(GitError, match="more than"):
        repository.tree_cache.differing_paths(EMPTY_TREE, tree)
