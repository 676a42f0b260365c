"""Mirrors that were left locked, lack objects, grew, or have no room, with the git of this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.errors import MirrorDamaged
from bot.git import mirror_upkeep
from bot.git.mirror import open_mirror
from bot.git.mirror_upkeep import maintain
from bot.models import Sha
from bot.server.mirrors import MIRROR, Mirrors
from tests.pipeline.conftest import history
from tests.pipeline.office import git

__all__ = ["history"]


def fill(mirrors: Mirrors, number: int, history: Path) -> Sha:
    """Make the mirror of a repository; returns the commit that it has."""
    commit = Sha(git(history, "rev-parse", "pull-9^{commit}"))
    with mirrors.using(number) as folder, open_mirror(str(history), folder / MIRROR) as mirror:
        mirror.fetch([commit])
        assert mirror.commit(commit).sha == commit
    return commit


def test_locks_of_killed_processes_go_and_those_of_living_ones_stay(history: Path, tmp_path: Path) -> None:
    mirrors = Mirrors(tmp_path)
    fill(mirrors, 1, history)
    mirror = mirrors.folder(1) / MIRROR
    names = ["config.lock", "refs/backport-bot/fetched/x.lock", "shallow.lock", "packed-refs.lock"]
    for name in names:
        (mirror / name).touch()
    with mirrors.using(1):
        assert not any((mirror / name).exists() for name in names)
        (mirror / "config.lock").touch()
        assert not mirrors.repair(1)  # young, and somebody may be at work
        os.utime(mirror / "config.lock", (0, 0))
        with (mirror / "shallow.lock").open("w"):
            os.utime(mirror / "shallow.lock", (0, 0))
            assert mirrors.repair(1)
            assert ((mirror / "config.lock").exists(), (mirror / "shallow.lock").exists()) == (False, True)


def test_a_mirror_that_lacks_objects_is_removed_and_a_whole_one_stays(history: Path, tmp_path: Path) -> None:
    mirrors = Mirrors(tmp_path)
    commit = fill(mirrors, 1, history)
    assert not mirrors.repair(1)
    mirrors = Mirrors(tmp_path)
    for path in (mirrors.folder(1) / MIRROR / "objects").rglob("*"):
        if path.is_file():
            path.unlink()
    with open_mirror(str(history), mirrors.folder(1) / MIRROR) as mirror, pytest.raises(MirrorDamaged) as caught:
        mirror.commit(commit)
    assert str(tmp_path) not in str(caught.value)
    assert mirrors.repair(1)
    assert sorted(path.name for path in mirrors.folder(1).iterdir()) == ["mirror.lock"]
    fill(mirrors, 1, history)


def test_the_mirrors_that_were_used_longest_ago_make_room_unless_they_are_in_use(history: Path, tmp_path: Path) -> None:
    mirrors = Mirrors(tmp_path)
    for number in (1, 2, 3):
        fill(mirrors, number, history)
        os.utime(mirrors.folder(number) / "mirror.lock", (number, number))
    mirrors.limit = mirrors.total_bytes() // 3
    with mirrors.using(1):
        os.utime(mirrors.folder(1) / "mirror.lock", (1, 1))
        assert mirrors.evict() == [2, 3]
        assert mirrors.evict() == []
    fill(mirrors, 2, history)


def test_a_mirror_is_packed_and_keeps_only_the_newest_refs(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_upkeep, "_MOST_KEPT", 1)
    old, new = (Sha(git(history, "rev-parse", f"{name}^{{commit}}")) for name in ("pull-7", "pull-9"))
    with open_mirror(str(history), tmp_path / MIRROR) as mirror:
        mirror.fetch([old])
        mirror.fetch([new])
        maintain(mirror)
        refs = mirror.git.text("for-each-ref", "--format=%(objectname)").split()
        assert (len(refs), len(list(tmp_path.glob(f"{MIRROR}/objects/pack/*.pack")))) == (1, 1)
        for commit in (old, new):
            mirror.fetch([commit])
            assert mirror.commit(commit).sha == commit


def test_the_mirror_of_a_service_for_one_repository_is_taken_over(history: Path, tmp_path: Path) -> None:
    open_mirror(str(history), tmp_path / MIRROR).close()
    (tmp_path / "backports.json").write_text("{}")
    mirrors = Mirrors(tmp_path)
    for url, names in (("another", {"mirror.lock"}), (str(history), {"mirror.lock", MIRROR, "backports.json"})):
        with mirrors.using(7, url=url) as folder:
            assert {path.name for path in folder.iterdir()} == names
