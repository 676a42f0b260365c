"""A tree on a disk as rules see it: its own files, and nothing that a link in it leads to elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.carried.source_tree import LARGEST, DirectoryTree, differing_paths
from bot.environment.temporary_folders import scratch_folder
from tests.environment.test_temporary_folders import nest


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree/widget").mkdir(parents=True)
    (tmp_path / "tree/widget/ring.py").write_text("ring")
    (tmp_path / "secret.py").write_text("secret")
    return tmp_path / "tree"


def test_a_link_inside_is_read_and_one_that_leads_out_is_not(tree: Path) -> None:
    (tree / "inside.py").symlink_to("widget/ring.py")
    (tree / "outside.py").symlink_to(tree.parent / "secret.py")
    (tree / "up").symlink_to("..")
    (tree / "circle.py").symlink_to("circle.py")
    (tree / "zero.py").symlink_to("/dev/zero")
    read = {
        path: DirectoryTree(tree).read(path) for path in ("inside.py", "outside.py", "up/secret.py", "../secret.py")
    }
    assert read == {"inside.py": b"ring", "outside.py": None, "up/secret.py": None, "../secret.py": None}
    assert DirectoryTree(tree).read("circle.py") is None
    assert DirectoryTree(tree).read("zero.py") is None


def test_a_tree_is_read_through_a_link_that_names_it(tree: Path) -> None:
    tree.with_name("link").symlink_to(tree)
    assert DirectoryTree(tree.with_name("link")).read("widget/ring.py") == b"ring"


@pytest.mark.parametrize("path", ["a" * 300, "a/" * 3000, "a\0b", "", "widget"])
def test_what_can_name_no_file_is_not_there(tree: Path, path: str) -> None:
    assert DirectoryTree(tree).read(path) is None


def test_neither_a_pipe_nor_a_sparse_file_is_read(tree: Path) -> None:
    os.mkfifo(tree / "pipe.py")
    with (tree / "sparse.py").open("wb") as file:
        file.truncate(LARGEST + 1)
    assert DirectoryTree(tree).read("pipe.py") is None
    assert DirectoryTree(tree).read("sparse.py") is None


def test_paths_are_sorted_folder_by_folder(tree: Path) -> None:
    for name in ("b.py", "a/z.py", "a/y/x.py", ".git/config", "a/__pycache__/z.pyc"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).touch()
    assert list(DirectoryTree(tree).paths()) == ["b.py", "a/z.py", "a/y/x.py", "widget/ring.py"]


def test_folders_nested_deeper_than_a_path_can_name_are_walked_as_far_as_it_goes() -> None:
    with scratch_folder("tree-") as folder:
        nest(folder)
        assert len(list(DirectoryTree(folder).paths())) > 1500


def test_differing_paths_are_those_of_other_content_or_of_one_tree_alone(tree: Path, tmp_path: Path) -> None:
    other_text = tmp_path / "other"
    (other_text / "widget").mkdir(parents=True)
    (other_text / "widget/ring.py").write_text("rung")
    (other_text / "new.py").touch()
    for folder in (tree, other_text):
        (folder / "same.py").write_text("same")
    os.mkfifo(other_text / "pipe.py")
    assert differing_paths(tree, other_text) == ("new.py", "widget/ring.py")
