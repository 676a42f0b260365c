"""Moves packs from one objects directory into another: https://git-scm.com/docs/gitformat-pack."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path


def adopt_packs(objects: Path, into: Path) -> None:
    """Move all packs of an objects directory into another one, where git sees each once it is complete."""
    # git looks for the index, so that comes last.
    for file in sorted((objects / "pack").glob("pack-*"), key=lambda file: file.suffix == ".idx"):
        _move(file, into / "pack" / file.name)


def _move(file: Path, target: Path) -> None:
    try:
        file.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # It is on another disk. git removes what is left of a copy that breaks off, by its name.
        copy = target.with_name(f"tmp_{file.name}")
        shutil.copyfile(file, copy)
        copy.replace(target)
