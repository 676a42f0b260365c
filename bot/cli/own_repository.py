"""Finds which repository and which configuration a command means, if nobody names them."""

from __future__ import annotations

import os
from pathlib import Path

from bot.config import FILE_NAME, load_config
from bot.errors import ConfigError
from bot.git.hosted_repository import hosted_repository


def chosen_config(file: Path | None) -> Path | None:
    """Return the configuration file that a command uses: the one that is named, else ./backport.yaml if it counts.

    It does not count in a checkout of the repository that it is for: what a branch of a checkout says about permissions
    is nobody's decision yet, so the default branch's file counts there. Other folders have no other file.
    """
    own = Path(FILE_NAME)
    if file is not None or not own.exists():
        return file
    return None if _is_for_checkout(own) else own


def _is_for_checkout(file: Path) -> bool:
    checkout = hosted_repository(Path())
    try:
        return (
            checkout is not None
            and load_config(file, repository=checkout.name).repository.casefold() == checkout.name.casefold()
        )
    except ConfigError:
        return True


def named_repository(directory: Path = Path()) -> str:
    """Return owner/name of GITHUB_REPOSITORY, else of the remote of the checkout here; empty if neither tells."""
    # https://docs.github.com/actions/reference/workflows-and-actions/variables
    if name := os.environ.get("GITHUB_REPOSITORY"):
        return name
    repository = hosted_repository(directory)
    return repository.name if repository is not None else ""
