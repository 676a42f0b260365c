"""Writes and reads a base commit and a candidate as one file, for a job without a token and without a network.

The bundle holds the two trees whole and no history: the base commit is a shallow boundary, so that a bundle is about as
large as one compressed checkout. Object names do not change. https://git-scm.com/docs/git-bundle
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bot.errors import GitError
from bot.git import fetch_ahead
from bot.git.open import create_repo
from bot.git.process import Git
from bot.git.repository import Repository
from bot.models import Sha

_BASE, _CANDIDATE = "refs/backport/base", "refs/backport/candidate"


def write_bundle(repository: Repository, base: Sha, candidate: Sha, file: Path, *, whole: bool = True) -> None:
    """Write both commits with all their files; the repository itself is not changed.

    Not `whole`, it holds only what the candidate adds to its base commit: enough to publish it, too little to prove it.

    Raises:
        GitError: an object is missing.
    """
    if whole:
        fetch_ahead.files_below(repository, base)
        fetch_ahead.files_below(repository, candidate)
    with _shallow(base) as git:
        alternates = git.directory / "objects" / "info" / "alternates"
        alternates.parent.mkdir(parents=True, exist_ok=True)
        alternates.write_text(f"{repository.objects.resolve()}\n", encoding="utf-8")
        for ref, commit in ((_BASE, base), (_CANDIDATE, candidate)):
            git.run("update-ref", ref, commit)
        first = _BASE if whole else f"^{_BASE}"
        git.run("bundle", "create", "--quiet", str(file.resolve()), first, _CANDIDATE)


@contextmanager
def open_bundle(file: Path, base: Sha, candidate: Sha) -> Iterator[Repository]:
    """Yield a repository of its own with the two commits and their files, gone afterwards.

    Raises:
        GitError: the bundle is damaged or holds other commits.
    """
    with _shallow(base) as git:
        _unbundle(git, file, {_BASE: base, _CANDIDATE: candidate})
        with Repository.open(git.directory) as repository:
            _check_whole(repository, candidate)
            yield repository


def take_bundle(repository: Repository, file: Path, base: Sha, candidate: Sha) -> None:
    """Bring the candidate into a repository that has its base commit. No ref comes to point at it.

    Raises:
        GitError: the bundle is damaged, holds other commits, or the candidate does not sit on the base commit.
    """
    refs, heads = {_BASE: base, _CANDIDATE: candidate}, _heads(repository.git, file)
    _unbundle(repository.git, file, {name: sha for name, sha in refs.items() if name == _CANDIDATE or name in heads})
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


def _heads(git: Git, file: Path) -> dict[str, str]:
    lines = git.text("bundle", "list-heads", str(file.resolve())).splitlines()
    return dict(line.split(" ", 1)[::-1] for line in lines)


def _unbundle(git: Git, file: Path, expected: Mapping[str, Sha]) -> None:
    path = str(file.resolve())
    if _heads(git, file) != expected:
        names = " and ".join(sha[:12] for sha in expected.values())
        raise GitError(f"{file.name} does not hold {names}; nothing was done.", hint="Make it again.")
    git.run("bundle", "verify", "--quiet", path)
    git.run("bundle", "unbundle", path)


def _check_whole(repository: Repository, *revisions: str) -> None:
    # Unpacking checks each object by its name, but not that a tree's files came along.
    repository.git.run("rev-list", "--objects", "--quiet", *revisions)
