"""Keeps a mirror in order: locks of git processes that were killed, refs that nobody needs, packs, damaged objects."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.git.partial import KEPT_REFS
from bot.git.process import Git
from bot.git.remote import alone
from bot.git.repository import Repository

log = logging.getLogger(__name__)

_STALE_AFTER = 60.0
"""Seconds. git holds a lock for a moment, but for that of a fetch, and one that fetches has the mirror for itself."""
_MOST_KEPT = 500
"""Refs of fetched commits; without its ref a commit is asked for again, and found here as long as it is not removed."""
# Commits that a step made have no ref until they are pushed.
_PRUNE = ("-c", "gc.pruneExpire=3.days.ago", "-c", "gc.auto=0")


def remove_stale_locks(directory: Path, *, in_use: bool) -> list[str]:
    """Remove the lock files of git processes that have ended, and return their names.

    `in_use` says that a living process may be at work in the mirror: then young locks stay.
    """
    removed = []
    for path in list(_locks(directory)):
        try:
            age = time.time() - path.stat().st_mtime
            if (in_use and age < _STALE_AFTER) or _is_open(path):
                continue
            path.unlink()
        except FileNotFoundError:
            continue
        removed.append(path.relative_to(directory).as_posix())
    if removed:
        log.warning("Locks of a git process that was killed were removed from a mirror: %s", ", ".join(removed))
    return removed


def _locks(directory: Path) -> Iterator[Path]:
    yield from directory.glob("*.lock")
    for folder in ("refs", "objects/info"):
        yield from directory.joinpath(folder).rglob("*.lock")


def _is_open(path: Path) -> bool:
    """Say whether a living process has the file open, as far as this machine tells."""
    wanted = os.path.realpath(path)
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(link.readlink()) == wanted:
                return True
        except OSError:
            continue
    return False


def is_damaged(directory: Path) -> bool:
    """Say whether objects are missing or unreadable. Takes seconds to a minute: each commit and tree is looked at.

    Of a mirror that holds only a part this is not known; it counts as damaged.
    """
    git = Git(directory)
    if git.attempt("rev-parse", "--git-dir").code or git.attempt("config", "backport-bot.partial").stdout == b"true\n":
        return True
    return git.attempt("fsck", "--connectivity-only", "--no-dangling", "--no-progress").code != 0


def maintain(mirror: Repository) -> None:
    """Drop refs beyond the newest, pack what is left, and remove what has been without a ref for three days.

    Fetches into the mirror wait for that; what reads it goes on.

    Raises:
        GitError: git failed; the mirror is as it was, or less packed.
    """
    with alone(mirror):
        _drop_refs(mirror)
        mirror.git.run(*_PRUNE, "gc", "--quiet")
    mirror.close()


def _drop_refs(mirror: Repository) -> None:
    order = ("for-each-ref", "--sort=-committerdate", "--format=delete %(refname)", KEPT_REFS.rstrip("/"))
    surplus: Sequence[str] = mirror.git.text(*order).splitlines()[_MOST_KEPT:]
    if surplus:
        mirror.git.run("update-ref", "--stdin", stdin="\n".join([*surplus, ""]).encode())
