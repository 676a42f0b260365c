"""Writes and reads a base commit and a candidate as one file, for a job without a token and without a network.

The bundle holds the two trees whole and no history: the base commit is a shallow boundary, so that a bundle is about as
large as one compressed checkout. Object names do not change. https://git-scm.com/docs/git-bundle
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import GitError
from bot.git import fetch_ahead
from bot.git.open import create_repo
from bot.git.process import Git
from bot.git.repository import Repository
from bot.models import Sha

_BASE, _CANDIDATE = "refs/backport/base", "refs/backport/candidate"


def write_bundle(repository: Repository, base: Sha, candidate: Sha, file: Path) -> None:
    """Write both commits with all their files; the repository itself is not changed.

    Raises:
        GitError: an object is missing.
    """
    fetch_ahead.files_below(repository, base)
    fetch_ahead.files_below(repository, candidate)
    with _shallow(base) as git:
        alternates = git.directory / "objects" / "info" / "alternates"
        alternates.parent.mkdir(parents=True, exist_ok=True)
        alternates.write_text(f"{repository.objects.resolve()}\n", encoding="utf-8")
        for ref, commit in ((_BASE, base), (_CANDIDATE, candidate)):
            git.run("update-ref", ref, commit)
        git.run("bundle", "create", "--quiet", str(file.resolve()), _BASE, _CANDIDATE)


@contextmanager
def open_bundle(file: Path, base: Sha, candidate: Sha) -> Iterator[Repository]:
    """Yield a repository of its own with the two commits and their files, gone afterwards.

    Raises:
        GitError: the bundle is damaged or holds other commits.
    """
    with _shallow(base) as git:
        _unbundle(git, file, base, candidate)
        with Repository.open(git.directory) as repository:
            _check_whole(repository, candidate)
            yield repository


def take_bundle(repository: Repository, file: Path, base: Sha, candidate: Sha) -> None:
    """Bring the candidate into a repository that has its base commit. No ref comes to point at it.

    Raises:
        GitError: the bundle is damaged, holds other commits, or the candidate does not sit on the base commit.
    """
    _unbundle(repository.git, file, base, candidate)
    repository.close()
    _check_whole(repository, candidate, f"^{base}")
    if not repository.is_ancestor(base, candidate):
        raise GitError(f"{candidate[:12]} does not sit on {base[:12]}; nothing was done.", hint="Make it again.")


@contextmanager
def _shallow(boundary: Sha) -> Iterator[Git]:
    with tempfile.TemporaryDirectory(prefix="backport-bundle-") as scratch:
        repo = create_repo(Path(scratch))
        Path(scratch, "shallow").write_text(f"{boundary}\n", encoding="ascii")
        yield repo.git


def _unbundle(git: Git, file: Path, base: Sha, candidate: Sha) -> None:
    path = str(file.resolve())
    heads = git.text("bundle", "list-heads", path)
    if dict(line.split(" ", 1)[::-1] for line in heads.splitlines()) != {_BASE: base, _CANDIDATE: candidate}:
        raise GitError(
            f"{file.name} does not hold {base[:12]} and {candidate[:12]}; nothing was done.", hint="Make it again."
        )
    git.run("bundle", "verify", "--quiet", path)
    git.run("bundle", "unbundle", path)


def _check_whole(repository: Repository, *revisions: str) -> None:
    # Unpacking checks each object by its name, but not that a tree's files came along.
    repository.git.run("rev-list", "--objects", "--quiet", *revisions)
