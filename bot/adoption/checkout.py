"""What a checkout tells about its repository: its name, its branches and what runs its tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.adoption.framework import Framework, find_framework
from bot.errors import ConfigError
from bot.git.connection import REMOTE
from bot.git.hosted_repository import HostedRepository, find_checkout, hosted_repository, project_remote
from bot.git.repository import Repository
from bot.git.untrusted_repository import open_clone
from bot.text.release_branches import looks_like_release, release_globs

_MAIN = ("main", "master", "devel", "develop", "trunk")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout: its folder and what was read there. `default_branch` is empty if nothing tells.

    `globs` match the release branches, that of most branches first. `unfetched` is the remote of the project if nothing
    of it is here yet, as after `git remote add upstream`.
    """

    folder: Path
    repository: HostedRepository | None
    default_branch: str
    release_branches: tuple[str, ...]
    globs: tuple[str, ...]
    framework: Framework | None
    unfetched: str = ""


def read_checkout(directory: Path) -> Checkout:
    """Read the checkout that a folder is in. Its files and its repository are not changed.

    Raises:
        ConfigError: the folder is in no checkout.
        GitError: its repository cannot be read.
    """
    folder = find_checkout(directory)
    if folder is None:
        raise ConfigError(
            f"{directory.resolve()} is in no git checkout, so nothing was written.",
            hint="Clone your repository, change to its folder, and start again there.",
        )
    remote = project_remote(folder)
    with open_clone(folder) as repository:
        unfetched = "" if remote == REMOTE or _remote_branches(repository, remote) else remote
        names = _remote_branches(repository, REMOTE if unfetched else remote) | _local_branches(repository)
        default = _default_branch(repository, names, (remote, REMOTE))
    names -= {default}
    return Checkout(
        folder=folder,
        repository=hosted_repository(folder),
        default_branch=default,
        release_branches=tuple(sorted(filter(looks_like_release, names))),
        globs=release_globs(names),
        framework=find_framework(folder),
        unfetched=unfetched,
    )


def _remote_branches(repository: Repository, remote: str) -> set[str]:
    prefix = f"refs/remotes/{remote}/"
    lines = repository.git.text("for-each-ref", "--format=%(refname)", prefix).split("\n")
    return {line.removeprefix(prefix) for line in filter(None, lines)} - {"HEAD"}


def _local_branches(repository: Repository) -> set[str]:
    lines = repository.git.text("for-each-ref", "--format=%(refname)", "refs/heads/").split("\n")
    return {line.removeprefix("refs/heads/") for line in filter(None, lines)}


def _default_branch(repository: Repository, names: set[str], remotes: Sequence[str]) -> str:
    # A clone notes the remote's default branch: https://git-scm.com/docs/git-remote#Documentation/git-remote.txt-set-head
    heads = (
        repository.git.attempt("symbolic-ref", "--quiet", "--short", f"refs/remotes/{remote}/HEAD")
        .stdout.decode(errors="replace")
        .strip()
        .removeprefix(f"{remote}/")
        for remote in remotes
    )
    return next((name for name in (*heads, *_MAIN) if name in names), "")
