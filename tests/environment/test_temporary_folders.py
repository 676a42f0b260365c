"""A temporary folder goes, whatever somebody's code left in it, and nothing outside goes with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.environment.temporary_folders import remove_tree, scratch_folder

LEVELS = 2100
"""More than Python recurses, and than a path of 4096 bytes can name."""
_AS_NOBODY = """
import os, pathlib, sys, tempfile
sys.path.insert(0, sys.argv[1])
from bot.environment.temporary_folders import remove_tree
if os.getuid() == 0:
    os.setuid(65534)  # nothing keeps root out
for mode in (0o500, 0o300, 0):
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "a/b").mkdir(parents=True)
    (folder / "a/b/file").touch()
    (folder / "a/b").chmod(0o500)
    (folder / "a").chmod(0)
    folder.chmod(mode)
    remove_tree(folder)
    assert not folder.exists()
"""


def nest(folder: Path, levels: int = LEVELS) -> None:
    """Make folders inside each other, deeper than any path can name."""
    here = Path.cwd()
    try:
        os.chdir(folder)
        for _ in range(levels):
            Path("d").mkdir()
            Path("file").touch()
            os.chdir("d")
    finally:
        os.chdir(here)


def test_folders_nested_deeper_than_a_path_can_name_are_removed() -> None:
    with scratch_folder("scratch-") as folder:
        nest(folder)
    assert not folder.exists()


def test_names_that_the_removal_uses_itself_are_no_obstacle() -> None:
    with scratch_folder("scratch-") as folder:
        for name in (".0.removed", ".1.removed", "a/b/c", "a/.0.removed/c"):
            (folder / name).mkdir(parents=True)
            (folder / name / "file").touch()
        (folder / ".2.removed").touch()
    assert not folder.exists()


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/link").symlink_to(tmp_path / "kept")
    remove_tree(tmp_path / "folder")
    assert (tmp_path / "kept/file").exists()
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    with pytest.raises(OSError, match="link"):
        remove_tree(tmp_path / "link")
    assert (tmp_path / "kept/file").exists()


def test_folders_that_keep_their_owner_out_are_removed() -> None:
    root = str(Path(__file__).parents[2])
    result = subprocess.run([sys.executable, "-c", _AS_NOBODY, root], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_a_folder_that_cannot_be_removed_is_logged_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with scratch_folder("scratch-") as folder:
        folder.rmdir()
    assert "could not be removed" in caplog.text


def test_a_runner_s_scratch_folders_lie_where_its_container_daemon_sees_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path))
    with scratch_folder("backport-") as folder:
        assert folder.parent == tmp_path
    monkeypatch.setenv("BACKPORT_BOT_TMP", str(tmp_path.parent))
    with scratch_folder("backport-") as folder:
        assert folder.parent == tmp_path.parent
    monkeypatch.setenv("BACKPORT_BOT_TMP", "relative")
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path / "missing"))
    with scratch_folder("backport-") as folder:
        assert folder.is_dir()
