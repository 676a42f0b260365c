"""Arguments and options that several commands share, and what a waiting person is told."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

Tree = Annotated[
    Path,
    typer.Argument(help="A checkout or unpacked package of the target.", exists=True, file_okay=False, metavar="TREE"),
]
PatchName = Annotated[str, typer.Option("--patch", help="The carried patch, e.g. sglang-24587.", metavar="NAME")]
WithCompanions = Annotated[
    bool, typer.Option("--with-companions", help="Bring the carried patches that belong with it as well.")
]
OwnConfig = Annotated[
    Path | None,
    typer.Option("--config", help="A backport.yaml to go by: `prove` and `patches`.", exists=True, dir_okay=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print data for scripts.")]


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise typer.BadParameter(f"{url!r} is no address that begins with https:// or http://.")
    return url.rstrip("/")


ApiUrl = Annotated[str, typer.Option(help="GitHub's API.", envvar="GITHUB_API_URL", callback=_checked_url)]
API_URL = "https://api.github.com"


class DeviceKind(StrEnum):
    """Where a regression suite may run."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    ROCM = "rocm"


def tell(line: str) -> None:
    """Be the Progress of a command: standard error, so that standard output stays data."""
    typer.echo(line, err=True)
