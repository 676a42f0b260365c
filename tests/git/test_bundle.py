"""A bundle of two commits stands alone, and takes nothing but those two commits into a repository.

root ── base ── candidate        root is in no bundle
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.errors import GitError
from bot.git.bundle import open_bundle, take_bundle, write_bundle
from bot.git.mirror import open_mirror
from bot.git.repository import Repository
from bot.models import Sha
from tests.git.history import History


@dataclass(frozen=True)
class Made:
    root: Sha
    base: Sha
    candidate: Sha
    file: Path


@pytest.fixture
def made(history: History, repository: Repository, tmp_path: Path) -> Made:
    root = history.commit({"old.txt": "gone\n", "a.txt": "one\n"})
    base = history.commit({"old.txt": None, "b/c.txt": "two\n"}, root)
    candidate = history.commit({"b/c.txt": "three\n"}, base)
    history.branch("release/1.0", base)
    file = tmp_path / "it.bundle"
    write_bundle(repository, base, candidate, file)
    return Made(root, base, candidate, file)


def test_both_trees_are_whole_without_the_repository_and_without_its_history(made: Made, tmp_path: Path) -> None:
    with open_bundle(made.file, made.base, made.candidate) as alone:
        alone.export(made.base, tmp_path / "base")
        alone.export(made.candidate, tmp_path / "candidate")
        assert not alone.contains(made.root)
    assert (tmp_path / "base/b/c.txt").read_text() == "two\n"
    assert (tmp_path / "candidate/b/c.txt").read_text() == "three\n"
    assert (tmp_path / "candidate/a.txt").read_text() == "one\n"


def test_making_one_leaves_the_repository_as_it_was(history: History, repository: Repository, tmp_path: Path) -> None:
    base = history.commit({"a.txt": "one\n"})
    candidate = history.commit({"a.txt": "two\n"}, base)
    before = {path: path.stat().st_mtime_ns for path in history.directory.rglob("*") if path.is_file()}
    write_bundle(repository, base, candidate, tmp_path / "it.bundle")
    assert {path: path.stat().st_mtime_ns for path in history.directory.rglob("*") if path.is_file()} == before


def test_the_candidate_comes_into_a_repository_that_has_its_base(made: Made, history: History, tmp_path: Path) -> None:
    with open_mirror(f"file://{history.directory}", tmp_path / "mirror.git") as mirror:
        mirror.fetch([made.base])
        take_bundle(mirror, made.file, made.base, made.candidate)
        assert mirror.read(made.candidate, "b/c.txt") == b"three\n"
        assert [commit.sha for commit in mirror.commits_between(made.base, made.candidate)] == [made.candidate]


def test_a_bundle_of_other_commits_is_refused(made: Made) -> None:
    with pytest.raises(GitError, match="does not hold"), open_bundle(made.file, made.root, made.candidate):
        pass


def test_a_candidate_that_does_not_sit_on_its_base_is_refused(
    made: Made, history: History, repository: Repository, tmp_path: Path
) -> None:
    stranger = history.commit({"a.txt": "elsewhere\n"})
    write_bundle(repository, made.base, stranger, tmp_path / "stranger.bundle")
    with pytest.raises(GitError, match="does not sit on"):
        take_bundle(repository, tmp_path / "stranger.bundle", made.base, stranger)


def test_a_damaged_bundle_is_refused(made: Made) -> None:
    content = bytearray(made.file.read_bytes())
    content[-30] ^= 0xFF
    made.file.write_bytes(content)
    with pytest.raises(GitError), open_bundle(made.file, made.base, made.candidate):
        pass


def test_an_object_that_is_missing_is_told_when_the_bundle_is_made(
    made: Made, history: History, repository: Repository, tmp_path: Path
) -> None:
    history.lose(history.git("rev-parse", f"{made.base}:a.txt"))
    with pytest.raises(GitError):
        write_bundle(repository, made.base, made.candidate, tmp_path / "half.bundle")
