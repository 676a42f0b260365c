"""The interface of the tools that write generated files: lock files, checksums, generated code.

The tools are the project's own commands. `bot.pipeline.regenerate_files` runs them isolated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.git.repository import Quarantine
from bot.models import Sha


@dataclass(frozen=True, slots=True)
class RegeneratedFiles:
    """Files that a tool changed, by path; None for a file that it removed. If there is a `problem`, none is changed."""

    contents: Mapping[str, bytes | None] = field(default_factory=dict)
    explanation: str = ""
    problem: str = ""


class Regenerator(Protocol):
    """Runs the project's tools. They are untrusted code; the implementation has to isolate them."""

    def covers(self, path: str) -> bool:
        """Return True if a tool is configured for a path."""

    def regenerate(self, repository: Quarantine, tree: Sha, paths: Sequence[str]) -> RegeneratedFiles:
        """Run the tools for these paths on the files of a tree. Returns every file that the tools changed."""
