"""The names of commits and target branches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NewType, Self

Sha = NewType("Sha", str)
"""A full object name, 40 hex digits. A branch name is never a Sha: `resolve` turns one into the other."""

_ELSEWHERE = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+):(.+)")


@dataclass(frozen=True, slots=True)
class Target:
    """A branch to backport to. `repository` is None for the repository that the originals are in.

    `str()` is the name that a requester gives it: `owner/name:branch`, or the branch alone.
    """

    repository: str | None
    branch: str

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read a target's name. git forbids colons in branch names, so a branch is never taken for the other form."""
        parts = _ELSEWHERE.fullmatch(name)
        return cls(parts[1], parts[2]) if parts else cls(None, name)

    def __str__(self) -> str:
        return f"{self.repository}:{self.branch}" if self.repository else self.branch
