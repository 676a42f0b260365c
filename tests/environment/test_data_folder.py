"""Who may read the data folder, whatever it was before and whatever the process's umask is."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.environment.data_folder import private_directory
from bot.errors import ConfigError
from bot.git.mirror import open_mirror
from bot.history.store import HistoryStore
from bot.models import Signature
from bot.pick.resolution_memory import ResolutionMemory
from bot.sync.lock import only_one

NOBODY = Signature("n", "n@localhost", "0 +0000")


@pytest.fixture(autouse=True)
def _open_to_all() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def _open(directory: Path) -> list[str]:
    """Return what group or others have any right to."""
    everything_items = [directory, *directory.rglob("*")]
    return [str(path) for path in everything_items if stat.S_IMODE(path.lstat().st_mode) & 0o077]


def test_what_the_bot_writes_is_its_own_account_s_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    private_directory(data)
    with open_mirror("http://127.0.0.1:9/a/b.git", data / "mirror.git") as mirror, only_one(data):
        tree = mirror.writer.write("tree", b"")
        commit = mirror.writer.write_commit(tree, (), "m", NOBODY, NOBODY)
        mirror.git.run("update-ref", "refs/heads/main", commit)
        with HistoryStore(data / "history.sqlite") as store:
            store.update(mirror, [commit])
        memory = ResolutionMemory(data / "resolutions.sqlite")
        assert _open(data) == []
        memory.close()


def test_what_an_earlier_version_left_open_is_closed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "mirror.git/objects/aa").mkdir(parents=True)
    for name in ("deliveries.sqlite", "deliveries.sqlite-wal", "backports.json", "mirror.git/objects/aa/bb"):
        (data / name).write_text("x")
    (data / "mirror.git/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_text("x")
    private_directory(data)
    assert _open(data) == [str(data / "mirror.git/link")]
    assert stat.S_IMODE((tmp_path / "elsewhere").stat().st_mode) == 0o666, "what a link leads to is not the bot's"


def test_what_others_keep_in_the_folder_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("x")
    (tmp_path / "backports.json").write_text("{}")
    before = tmp_path.stat().st_mode
    private_directory(tmp_path)
    assert tmp_path.stat().st_mode == before
    assert _open(tmp_path) == [str(tmp_path / "notes")] or _open(tmp_path) == [str(tmp_path), str(tmp_path / "notes")]


def test_a_file_in_its_place_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    for path in (tmp_path / "data", tmp_path / "data" / "below"):
        with pytest.raises(ConfigError, match="cannot be used") as caught:
            private_directory(path)
        assert "--data" in caught.value.hint
