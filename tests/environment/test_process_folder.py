"""What a killed process left in its temporary folder is removed by the next one, and nothing of one that lives."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bot.environment.process_folder import process_folder
from bot.environment.temporary_folders import scratch_folder

_HOLDS = """
import sys
from bot.environment.process_folder import process_folder
from bot.environment.temporary_folders import scratch_folder
with process_folder(), scratch_folder("backport-trees-") as folder:
    (folder / "file").touch()
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_only_the_folder_of_a_killed_process_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKPORT_BOT_TMP", str(tmp_path))
    (tmp_path / "backport-bot-of-nobody").symlink_to(tmp_path.parent)
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        with process_folder(), scratch_folder("backport-trees-") as own:
            assert own.parent.parent == tmp_path
            assert Path(tempfile.gettempdir()) == own.parent
            assert (folder / "file").exists()
        process.kill()
    assert folder.exists()
    with process_folder():
        assert not folder.parent.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["backport-bot-of-nobody"]
    assert not Path(tempfile.gettempdir()).is_relative_to(tmp_path)
