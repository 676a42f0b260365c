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
class Commits:
    root: Sha
    base: Sha
    candidate: Sha
    file: Path


@pytest.fixture
def commits(history: History, repository: Repository, tmp_path: Path) -> Commits:
    root = history.commit({"old.txt": "gone\n", "a.txt": "one\n"})
    base = history.commit({"old.txt": None, "b/c.txt": "two\n"}, root)
    candidate = history.commit({"b/c.txt": "three\n"}, base)
    history.branch("release/1.0", base)
    file = tmp_path / "it.bundle"
    write_bundle(repository, base, candidate, file)
    return Commits(root, base, candidate, file)


def test_both_trees_are_whole_without_the_repository_and_without_its_history(commits: Commits, tmp_path: Path) -> None:
    with open_bundle(commits.file, commits.base, commits.candidate) as alone:
        alone.export(commits.base, tmp_path / "base")
        alone.export(commits.candidate, tmp_path / "candidate")
        assert not alone.contains(commits.root)
    assert (tmp_path / "base/b/c.txt").read_text() == "two\n"
    assert (tmp_path / "candidate/b/c.txt").read_text() == "three\n"
    assert (tmp_path / "candidate/a.txt").read_text() == "one\n"


def test_making_one_leaves_the_repository_as_it_was(history: History, repository: Repository, tmp_path: Path) -> None:
    base = history.commit({"a.txt": "one\n"})
    candidate = history.commit({"a.txt": "two\n"}, base)
    before = {path: path.stat().st_mtime_ns for path in history.directory.rglob("*") if path.is_file()}
    write_bundle(repository, base, candidate, tmp_path / "it.bundle")
    assert {path: path.stat().st_mtime_ns for path in history.directory.rglob("*") if path.is_file()} == before


def test_the_candidate_comes_into_a_repository_that_has_its_base(
    commits: Commits, history: History, tmp_path: Path
) -> None:
    with open_mirror(f"file://{history.directory}", tmp_path / "mirror.git") as mirror:
        mirror.fetch([commits.base])
        take_bundle(mirror, commits.file, commits.base, commits.candidate)
        assert mirror.read(commits.candidate, "b/c.txt") == b"three\n"
        assert [commit.sha for commit in mirror.commits_between(commits.base, commits.candidate)] == [commits.candidate]


def test_a_bundle_of_other_commits_is_refused(commits: Commits) -> None:
    with pytest.raises(GitError, match="does not hold"), open_bundle(commits.file, commits.root, commits.candidate):
        pass


def test_a_candidate_that_does_not_sit_on_its_base_is_refused(
    commits: Commits, history: History, repository: Repository, tmp_path: Path
) -> None:
    stranger = history.commit({"a.txt": "elsewhere\n"})
    write_bundle(repository, commits.base, stranger, tmp_path / "stranger.bundle")
    with pytest.raises(GitError, match="does not sit on"):
        take_bundle(repository, tmp_path / "stranger.bundle", commits.base, stranger)


def test_a_damaged_bundle_is_refused(commits: Commits) -> None:
    content = bytearray(commits.file.read_bytes())
    content[-30] ^= 0xFF
    commits.file.write_bytes(content)
    with pytest.raises(GitError), open_bundle(commits.file, commits.base, commits.candidate):
        pass


def test_an_object_that_is_missing_is_told_when_the_bundle_is_made(
    commits: Commits, history: History, repository: Repository, tmp_path: Path
) -> None:
    history.lose(history.git("rev-parse", f"{commits.base}:a.txt"))
    with pytest.raises(GitError):
        write_bundle(repository, commits.base, commits.candidate, tmp_path / "half.bundle")


def test_without_a_proof_the_bundle_holds_what_the_candidate_adds(
    commits: Commits, history: History, repository: Repository, tmp_path: Path
) -> None:
    thin = tmp_path / "thin.bundle"
    write_bundle(repository, commits.base, commits.candidate, thin, whole=False)
    history.git("update-ref", "-d", "refs/scratch")
    with open_mirror(history.directory.as_uri(), tmp_path / "mirror.git", partial=True) as mirror:
        mirror.fetch([commits.base])
        take_bundle(mirror, thin, commits.base, commits.candidate)
        assert mirror.read(commits.candidate, "b/c.txt") == b"three\n"
        assert mirror.read(commits.candidate, "a.txt") == b"one\n"
    with pytest.raises(GitError, match="does not hold"), open_bundle(thin, commits.base, commits.candidate):
        pass


def test_a_thin_bundle_needs_its_base(commits: Commits, repository: Repository, tmp_path: Path) -> None:
    thin = tmp_path / "thin.bundle"
    write_bundle(repository, commits.base, commits.candidate, thin, whole=False)
    with open_mirror(tmp_path.as_uri(), tmp_path / "empty.git") as mirror, pytest.raises(GitError):
        take_bundle(mirror, thin, commits.base, commits.candidate)
