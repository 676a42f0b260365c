"""Arguments and options that several commands share, and the output of their progress."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from bot.config import FILE_NAME, load_config
from bot.errors import ConfigError
from bot.git.hosted_repository import hosted_repository

Tree = Annotated[
    Path,
    typer.Argument(
        help="A checkout or an unpacked package of the target project.", exists=True, file_okay=False, metavar="TREE"
    ),
]
PatchName = Annotated[str, typer.Option("--patch", help="The carried patch, e.g. sglang-24587.", metavar="NAME")]
WithCompanions = Annotated[
    bool, typer.Option("--with-companions", help="Also apply the carried patches that belong with it.")
]
OwnConfig = Annotated[
    Path | None,
    typer.Option("--config", help="A backport.yaml, for its `prove` and `patches`.", exists=True, dir_okay=False),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="The configuration. By default backport.yaml of the default branch on GitHub; in a folder that is no "
        "checkout of the repository, ./backport.yaml.",
        dir_okay=False,
        metavar="FILE",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def _check_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise typer.BadParameter(f"{url!r} is not a URL that begins with https:// or http://.")
    return url.rstrip("/")


ApiUrl = Annotated[str, typer.Option(help="The URL of GitHub's API.", envvar="GITHUB_API_URL", callback=_check_url)]
API_URL = "https://api.github.com"


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


class DeviceKind(StrEnum):
    """The devices that a regression suite may run on."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    ROCM = "rocm"


def tell(line: str) -> None:
    """Print a line of progress to standard error. Standard output has only results."""
    typer.echo(line, err=True)
