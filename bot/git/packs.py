"""Moves packs from one objects directory into another: https://git-scm.com/docs/gitformat-pack."""

from __future__ import annotations

from pathlib import Path


def adopt_packs(objects: Path, into: Path) -> None:
    """Move all packs of an objects directory into another one, where git sees each once it is complete."""
    # git looks for the index, so that comes last.
    for file in sorted((objects / "pack").glob("pack-*"), key=lambda file: file.suffix == ".idx"):
        file.replace(into / "pack" / file.name)
