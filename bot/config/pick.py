"""The `pick` section: how a candidate is made."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.config.prove import Minutes, PathPattern, Words
from bot.config.values import Section


class GeneratedFiles(Section):
    """Files that a tool of the project writes, such as lock files, and the command that writes them anew."""

    paths: Annotated[tuple[PathPattern, ...], Field(min_length=1, strict=False)]
    """The files; `**` alone is any number of folders. Of what the command writes, only these are taken."""
    command: Words
    """The command, word by word; no shell reads it. It runs at the root of the tree, inside the walls of a proof."""
    timeout_minutes: Minutes = 10
    """Minutes that it gets at most."""


class PickConfig(Section):
    """How a candidate is made."""

    max_prerequisites: Annotated[int, Field(ge=0, le=5)] = 3
    """Earlier pull requests that are looked for at most where a pick conflicts; 0 looks for none."""

    propose: bool = True
    """Open a draft where a conflict was resolved in a likely but not certain way; without it that stays a conflict."""

    mainline: bool = False
    """Pick what a merge commit brought as one commit, by whoever merged; without it the pull request's own commits are
    picked, with their authors."""

    generated: tuple[GeneratedFiles, ...] = Field(default=(), strict=False)
    """Files that are written anew where they conflict, on the machine that runs the suites; the first that matches."""
