"""Tells which repository of a server a checkout belongs to, by the addresses of its remotes.

The checkout's configuration is read as text: git starts no program that it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.errors import GitError
from bot.git.connection import PROJECT_REMOTES, REMOTE
from bot.git.process import Git
from bot.git.untrusted_repository import find_git_dir

# https://git-scm.com/docs/git-clone#_git_urls: a URL, or the short form of ssh.
_ADDRESS = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^/@\s]+@)?(?P<host>[^/:\s]+)(?::\d+)?/|(?:[^/@\s]+@)?(?P<ssh_host>[^/:\s]{2,}):/?)"
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+?)(?:\.git)?/?"
)


@dataclass(frozen=True, slots=True)
class HostedRepository:
    """A repository on a server; `name` is owner/name."""

    host: str
    name: str


def parse_address(address: str) -> HostedRepository | None:
    """Return the repository that a remote's address names, or None for a path or an address of another form."""
    match = _ADDRESS.fullmatch(address.strip())
    return HostedRepository((match["host"] or match["ssh_host"]).lower(), match["name"]) if match else None


def hosted_repository(directory: Path) -> HostedRepository | None:
    """Return the repository that a checkout, or a folder in one, belongs to; None if no remote tells."""
    return next((repository for _, repository in _hosted_remotes(directory)), None)


def project_remote(directory: Path) -> str:
    """Return the name of the remote that `hosted_repository` goes by; that of git's default if no remote tells."""
    return next((remote for remote, _ in _hosted_remotes(directory)), REMOTE)


def _hosted_remotes(directory: Path) -> Iterator[tuple[str, HostedRepository]]:
    checkout = find_checkout(directory)
    if checkout is None:
        return
    _, common = find_git_dir(checkout)
    for remote in PROJECT_REMOTES:
        # git does not follow the includes of a file that it is given: https://git-scm.com/docs/git-config
        result = Git().attempt("config", "--file", str(common / "config"), "--get", f"remote.{remote}.url")
        repository = parse_address(result.stdout.decode(errors="replace")) if result.code == 0 else None
        if repository is not None:
            yield remote, repository


def find_checkout(directory: Path) -> Path | None:
    """Return the top of the checkout that a folder is in, or None."""
    directory = directory.resolve()
    for folder in (directory, *directory.parents):
        if (folder / ".git").exists():
            try:
                find_git_dir(folder)
            except GitError:
                return None
            return folder
    return None
