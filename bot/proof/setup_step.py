"""One step of making a tree ready to run its tests, and what the steps leave for the runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ENVIRONMENT, SHARED, PYTHON = "{environment}", "{shared}", "{python}"
"""In a command: the folder that the step may write to, that of the shared step before it, and an interpreter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupStep:
    """Commands that install what tests need.

    A step with `files` is shared: it sees these files and nothing else of the tree, so its result follows from them
    alone, and serves every tree that has the same ones. A step without files runs in the tree itself, in `folder`, and
    may write there. `variables` are for the runs of the suites and for the step, `own_variables` for the step alone.
    `link` is a path in the tree that becomes a link into the step's folder.
    """

    name: str
    sources: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    folder: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    own_variables: Mapping[str, str] = field(default_factory=dict)
    python: str = ""
    link: tuple[str, str] | None = None
    tools: tuple[str, ...] = ()

    @property
    def described(self) -> str:
        """The step and the files that it follows from, for a reader."""
        return f"{self.name} ({', '.join(self.sources)})" if self.sources else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeSetup:
    """A tree that is ready: where it is, and what its runs need besides. `python` is empty for the bot's own."""

    tree: Path
    python: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    readable: tuple[Path, ...] = ()
