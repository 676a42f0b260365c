"""What a carried patch knows of an original that conflicts: on sglang's released sources."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.carried.apply import Applied, apply
from bot.carried.load import bundled_patches, load_patches
from bot.cli import app
from bot.models import Sha
from tests.git.history import History

BACKEND = "sglang/srt/layers/attention/aiter_backend.py"


def write_package(history: History, source: str, parent: Sha | None, message: str = "Release") -> Sha:
    """Commit the one file of the package that the patches are for."""
    files = {"python/sglang/__init__.py": "", f"python/{BACKEND}": source}
    return history.commit(files, *([parent] if parent else []), message=message)


def write_main(history: History, release: str, fixed_release: str) -> Sha:
    """release ── "Fix one (#24587)", the patch applied to it ── a rework ── "Fix two (#27485)" (main)

    Returns the commit of the release.
    """
    base = write_package(history, release, None)
    one = write_package(history, with_patch(release), base, "Fix one (#24587)")
    rework = write_package(history, fixed_release.replace("draft_slack", "room"), one, "Rework")
    history.branch("main", write_package(history, fixed_release, rework, "Fix two (#27485)"))
    return base


class OneFile:
    """A tree of the backend alone."""

    def __init__(self, source: str) -> None:
        self.files = {f"python/{BACKEND}": source.encode(), "python/sglang/__init__.py": b""}

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def paths(self) -> list[str]:
        return sorted(self.files)


def with_patch(source: str) -> str:
    """Return the backend with sglang-24587 applied."""
    result = apply(OneFile(source), load_patches([bundled_patches()])["sglang-24587"])
    assert isinstance(result, Applied), str(result)
    return result.changes[f"python/{BACKEND}"].decode()


def sync(clone: Path, tmp_path: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return what `sync --json` says of each original on the one branch, without a search for prerequisites."""
    config = tmp_path / "backport.yaml"
    config.write_text("repository: sgl-project/sglang\npick: {max_prerequisites: 0}\n")
    arguments = ["sync", "--json", "--git", clone, "--config", config, "--data", tmp_path / "data"]
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    (branch,) = json.loads(result.stdout)["branches"]
    return {standing["original"]: standing for standing in branch["standings"]}


@pytest.mark.parametrize("version", ["0.5.10", "0.5.12"])
def test_the_patch_that_goes_first_is_named(
    version: str, history: History, release_tree: Callable[[str], Path], tmp_path: Path
) -> None:
    """the release (release/v1)"""
    release, fixed_release = ((release_tree(each) / BACKEND).read_text() for each in (version, "0.5.13"))
    history.branch("release/v1", write_main(history, release, fixed_release))
    standing = sync(history.directory, tmp_path)["#27485"]
    assert standing["state"] == "missing, needs another first"
    assert standing["needs"] == ["#24587"]
    assert "the carried patch sglang-27485 is for it, and applies after #24587" in standing["reason"]


def test_no_patch_is_named_that_the_branch_has(
    history: History, release_tree: Callable[[str], Path], tmp_path: Path
) -> None:
    """the release ── "Fix one", picked (release/v1)"""
    release, fixed_release = ((release_tree(version) / BACKEND).read_text() for version in ("0.5.12", "0.5.13"))
    base = write_main(history, release, fixed_release)
    history.branch("release/v1", write_package(history, with_patch(release), base, "Fix one"))
    assert sync(history.directory, tmp_path)["#27485"]["state"] == "missing and resolvable"
