"""Arguments and options that several commands share, and the output of their progress."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

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


class DeviceKind(StrEnum):
    """The devices that a regression suite may run on."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    ROCM = "rocm"


def tell(line: str) -> None:
    """Print a line of progress to standard error. Standard output has only results."""
    typer.echo(line, err=True)
