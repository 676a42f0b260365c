"""Trees with carried patches applied, for tests that run suites on them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bot.carried.apply import Applied, apply, write
from bot.carried.load import CarriedPatch, bundled_patches, load_patches
from bot.carried.source_tree import DirectoryTree


@pytest.fixture(scope="session")
def shipped() -> Mapping[str, CarriedPatch]:
    """The carried patches as they are shipped."""
    return load_patches([bundled_patches()])


@pytest.fixture(scope="session")
def patched() -> Callable[..., Path]:
    """Copy a tree by hard links and apply patches to the copy, in order."""

    def copy_and_apply(source: Path, target: Path, *patches: CarriedPatch) -> Path:
        shutil.copytree(source, target, copy_function=os.link)
        for patch in patches:
            result = apply(DirectoryTree(target), patch)
            assert isinstance(result, Applied), str(result)
            for path in result.changes:
                (target / path).rename(target / f"{path}.before")  # what was linked to must not be written into
                shutil.copy(target / f"{path}.before", target / path)
            write(result.changes, target)
        return target

    return copy_and_apply
