"""The `pick` section: how a candidate is made."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.config.prove import Minutes
from bot.config.tests import Words
from bot.config.values import PathPattern, Section


class GeneratedFiles(Section):
    """Files that a tool of the project writes, such as lock files, and the command that regenerates them."""

    paths: Annotated[tuple[PathPattern, ...], Field(min_length=1, strict=False)]
    """The files; `**` alone is any number of folders. Only these files are taken from what the command writes."""
    command: Words
    """The command, word by word; no shell reads it. It runs at the root of the tree, isolated like a proof."""
    timeout_minutes: Minutes = 10
    """Minutes that the command may take."""


class PickConfig(Section):
    """How a candidate is made."""

    max_prerequisites: Annotated[int, Field(ge=0, le=5)] = 3
    """If a pick conflicts: the most earlier pull requests to look for that make it apply; 0 looks for none."""

    propose: bool = True
    """Open a draft if a conflict has a likely but not certain resolution. With `false` it stays a conflict."""

    mainline: bool = False
    """Pick a merge commit as one commit, by the person who merged. With `false` the pull request's own commits are
    picked, with their authors."""

    leave_out: tuple[PathPattern, ...] = Field(default=(), strict=False)
    """Files that no backport brings, such as `.github/**`; `**` alone is any number of folders. A conflict in nothing
    else is none, and the pull request says what was left out."""

    generated: tuple[GeneratedFiles, ...] = Field(default=(), strict=False)
    """Files that are regenerated if they conflict, on the machine that runs the suites. The first entry that matches
    counts."""
