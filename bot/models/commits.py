"""Commits as git stores them, and trees of files wherever they lie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.models.names import Sha


@dataclass(frozen=True, slots=True)
class Signature:
    """Who and when, as git writes it. `date` is git's raw form: seconds since the epoch and an offset."""

    name: str
    email: str
    date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit object as git stores it."""

    sha: Sha
    tree: Sha
    parents: tuple[Sha, ...]
    author: Signature
    committer: Signature
    message: str

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]


class MergeMethod(StrEnum):
    """How the original pull request reached its base branch."""

    SQUASH = "squash"
    REBASE = "rebase"
    MERGE = "merge"


class SourceTree(Protocol):
    """The files of a target, wherever they are: a directory, an unpacked package or a commit. Paths use "/"."""

    def read(self, path: str) -> bytes | None:
        """Return the file's bytes, or None if the tree has no such file."""

    def paths(self) -> Iterable[str]:
        """Yield the path of every file, sorted."""


@dataclass(frozen=True, slots=True)
class RelatedCommit:
    """A commit named in a report. `on_target` is the side of the merge base on which it is.

    With `paths` only its changes in these files are meant.
    """

    sha: Sha
    subject: str
    author: str
    on_target: bool = False
    paths: tuple[str, ...] = ()
