"""The history of files, change by change: which commit added and removed which lines.

Reads `git log -p` for several paths at once. It follows first parents, so that a merged pull request is one change,
however many commits it had; a rename is a removal and an addition.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.git import fetch_ahead
from bot.git.objects import encode_path
from bot.models import Sha

if TYPE_CHECKING:
    from bot.git.repository import Repository

_MOST_CHANGES = 400
_FORMAT = "%x00%H%x00%an%x00%s%x00"
_FILE = re.compile(rb"^(?=diff --git )", re.MULTILINE)
_FILE_MODE = re.compile(rb"^(?:new|deleted) file mode ", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """The significant lines that one commit changed in a file. `is_whole_file`: it created or removed the file."""

    commit: Sha
    author: str
    subject: str
    added_lines: frozenset[bytes]
    removed_lines: frozenset[bytes]
    is_whole_file: bool


def file_changes(
    repository: Repository, since: Sha | None, tip: Sha, paths: Iterable[str], *, seconds: float
) -> dict[str, tuple[FileChange, ...]]:
    """Return, for each path, the changes that `tip` has and `since` has not, newest first.

    It reads as far back as the time allows: older commits were rarely the last to change a line.
    """
    names = list(paths)
    fetch_ahead.file_histories(repository, since, tip, names, _MOST_CHANGES)
    headers = {b"diff --git a/%s b/%s" % (name, name): path for path in names for name in [encode_path(path)]}
    output, is_complete = repository.git.read_for(
        seconds,
        *("-c", "core.quotePath=false", "log", "--first-parent", "--diff-merges=first-parent", f"--format={_FORMAT}"),
        *(f"--max-count={_MOST_CHANGES}", "-p", "-U0", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color"),
        *(tip, *([f"^{since}"] if since else []), "--", *(f":(top,literal){path}" for path in headers.values())),
    )
    changes_by_path: dict[str, list[FileChange]] = {path: [] for path in headers.values()}
    # If the time ran out, the last commit may be cut short.
    for path, change in _parse(output if is_complete else output.rpartition(b"\0")[0], headers):
        changes_by_path[path].append(change)
    return {path: tuple(changes) for path, changes in changes_by_path.items()}


def _parse(output: bytes, headers: Mapping[bytes, str]) -> Iterator[tuple[str, FileChange]]:
    # A patch of a text file holds no NUL, and of a binary file it says no more than that it differs.
    fields = output.split(b"\0")[1:]
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
        added_lines=significant(line[1:] for line in lines if line.startswith(b"+")),
        removed_lines=significant(line[1:] for line in lines if line.startswith(b"-")),
        is_whole_file=_FILE_MODE.search(head) is not None,
    )


def significant(lines: Iterable[bytes]) -> frozenset[bytes]:
    """Return lines without their white space, and without those that any file has: blank ones, lone brackets."""
    return frozenset(text for line in lines if len(text := line.strip()) > 2)
