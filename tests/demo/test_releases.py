"""Released sources: downloaded once, checked, and a clear error where they cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.demo import releases
from bot.errors import DownloadError


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BACKPORT_BOT_CACHE", str(tmp_path))
    return tmp_path


def test_a_release_is_unpacked_once(empty_cache: Path) -> None:
    messages: list[str] = []
    directory = releases.source_tree("0.5.3", messages.append)
    assert (directory / "sglang" / "version.py").is_file()
    assert releases.source_tree("0.5.3", messages.append) == directory
    assert messages == ["Downloading sglang 0.5.3"]
    assert all(path.suffix == ".py" for path in directory.rglob("*") if path.is_file())


def test_a_version_without_a_hash_is_refused_by_name(empty_cache: Path) -> None:
    with pytest.raises(DownloadError, match=r"sglang 9\.9\.9") as caught:
        releases.source_tree("9.9.9")
    assert "0.5.12" in caught.value.hint


def test_an_unreachable_registry_names_the_wheel_and_leaves_nothing(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(DownloadError, match=r"sglang 0\.5\.3 could not be downloaded") as caught:
        releases.source_tree("0.5.3")
    assert "network" in caught.value.hint
    assert [path.name for path in (empty_cache / "sglang").iterdir() if not path.name.startswith(".")] == []


def test_a_wheel_that_is_not_what_its_hash_says_is_refused(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases, "_requirements", lambda: [f"sglang==0.5.3 --hash=sha256:{'0' * 64}"])
    with pytest.raises(DownloadError, match=r"sglang 0\.5\.3"):
        releases.source_tree("0.5.3")
    assert not (empty_cache / "sglang" / "0.5.3").exists()
