"""The history of files, change by change: which commit added and removed which lines.

Owns the reading of `git log -p` for a few paths at once. Follows the first parents, so that a merged pull request is
one change, whatever number of commits it had; renames are a removal and an addition.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.git.objects import encode_path
from bot.models import Sha

if TYPE_CHECKING:
    from bot.git.repository import Repository

_MOST_CHANGES = 400
_FORMAT = "%x00%H%x00%an%x00%s%x00"
_FILE = re.compile(rb"^(?=diff --git )", re.MULTILINE)
_WHOLE = re.compile(rb"^(?:new|deleted) file mode ", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """What one commit did to a file: its significant lines. `whole` is a file made or removed."""

    commit: Sha
    author: str
    subject: str
    added: frozenset[bytes]
    removed: frozenset[bytes]
    whole: bool


def file_changes(
    repository: Repository, since: Sha | None, tip: Sha, paths: Iterable[str], *, seconds: float
) -> dict[str, tuple[FileChange, ...]]:
    """Return, for each path, the changes that `tip` has and `since` has not, newest first.

    Goes back as far as the time allows: what is further back was hardly the last to touch a line.
    """
    headers = {b"diff --git a/%s b/%s" % (name, name): path for path in paths for name in [encode_path(path)]}
    listed, whole = repository.git.read_for(
        seconds,
        *("-c", "core.quotePath=false", "log", "--first-parent", "--diff-merges=first-parent", f"--format={_FORMAT}"),
        *(f"--max-count={_MOST_CHANGES}", "-p", "-U0", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color"),
        *(tip, *([f"^{since}"] if since else []), "--", *(f":(top,literal){path}" for path in headers.values())),
    )
    found: dict[str, list[FileChange]] = {path: [] for path in headers.values()}
    # Where the time ran out the last commit may be cut short.
    for path, change in _parse(listed if whole else listed.rpartition(b"\0")[0], headers):
        found[path].append(change)
    return {path: tuple(changes) for path, changes in found.items()}


def _parse(listed: bytes, headers: Mapping[bytes, str]) -> Iterator[tuple[str, FileChange]]:
    # A patch of a text file holds no NUL, and of a binary file it says no more than that it differs.
    fields = listed.split(b"\0")[1:]
    for sha, author, subject, patch in zip(*(fields[index::4] for index in range(4)), strict=False):
        for section in _FILE.split(patch):
            path = headers.get(section.partition(b"\n")[0])
            if path is not None:
                yield path, _read_change(sha, author, subject, section)


def _read_change(sha: bytes, author: bytes, subject: bytes, section: bytes) -> FileChange:
    head, _, hunks = section.partition(b"\n@@ ")
    lines = hunks.split(b"\n")
    return FileChange(
        commit=Sha(sha.decode()),
        author=author.decode(errors="replace"),
        subject=subject.decode(errors="replace"),
        added=significant(line[1:] for line in lines if line.startswith(b"+")),
        removed=significant(line[1:] for line in lines if line.startswith(b"-")),
        whole=_WHOLE.search(head) is not None,
    )


def significant(lines: Iterable[bytes]) -> frozenset[bytes]:
    """Return lines without their white space, and without those that stand everywhere: blank ones, lone brackets."""
    return frozenset(bare for line in lines if len(bare := line.strip()) > 2)
