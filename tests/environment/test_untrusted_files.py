"""What comes out of a folder that somebody's code wrote to, and what stays behind."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.environment.untrusted_files import (
    MIB,
    Bounds,
    NotPlain,
    TooLarge,
    copy_tree,
    list_entries,
    read_file,
    write_file,
)

SECRET = "the bot's token"
BOUNDS = Bounds(size=MIB, entries=50, depth=4)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


def _link(place: Path, secret: Path) -> None:
    place.symlink_to(secret)


def _hard_link(place: Path, secret: Path) -> None:
    os.link(secret, place)


def _pipe(place: Path, secret: Path) -> None:
    os.mkfifo(place)


def _socket(place: Path, secret: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place))


def _device(place: Path, secret: Path) -> None:
    place.symlink_to("/dev/zero")


FOREIGN = pytest.mark.parametrize("plant", [_link, _hard_link, _pipe, _socket, _device])


@FOREIGN
def test_what_is_no_plain_file_is_not_read(folder: Path, secret: Path, plant: Callable[[Path, Path], None]) -> None:
    plant(folder / "it", secret)
    with pytest.raises(NotPlain):
        read_file(folder, "it", largest=MIB)


@FOREIGN
def test_what_is_no_plain_file_is_not_copied(
    folder: Path, secret: Path, tmp_path: Path, plant: Callable[[Path, Path], None]
) -> None:
    plant(folder / "it", secret)
    (folder / "kept").write_text("kept")
    copy_tree(folder, tmp_path / "copy", BOUNDS)
    assert [entry.name for entry in (tmp_path / "copy").iterdir()] == ["kept"]


@pytest.mark.parametrize("name", ["behind/secret", "../secret", "/etc/passwd", "", ".."])
def test_nothing_outside_the_folder_is_read(folder: Path, secret: Path, name: str) -> None:
    (folder / "behind").symlink_to(secret.parent)
    with pytest.raises((NotPlain, FileNotFoundError)):
        read_file(folder, name, largest=MIB)


def test_a_folder_that_is_a_link_itself_is_not_read(folder: Path, tmp_path: Path) -> None:
    (folder / "it").touch()
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(NotPlain):
        read_file(tmp_path / "link", "it", largest=MIB)
    with pytest.raises(NotPlain):
        copy_tree(tmp_path / "link", tmp_path / "copy", BOUNDS)
    with pytest.raises(NotPlain):
        list(list_entries(tmp_path / "link", BOUNDS))


def test_a_link_to_a_folder_is_not_entered(folder: Path, secret: Path, tmp_path: Path) -> None:
    (folder / "behind").symlink_to(secret.parent)
    copy_tree(folder, tmp_path / "copy", BOUNDS)
    assert list((tmp_path / "copy").iterdir()) == []
    assert [entry.path for entry in list_entries(folder, BOUNDS) if not entry.is_link] == []


def test_nothing_is_written_through_a_link_in_the_target(folder: Path, secret: Path, tmp_path: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub/secret").write_text("other")
    (folder / "name").write_text("other")
    target = tmp_path / "target"
    target.mkdir()
    (target / "sub").symlink_to(secret.parent)
    (target / "name").symlink_to(secret)
    copy_tree(folder, target, BOUNDS)
    assert secret.read_text() == SECRET


def test_a_written_file_replaces_a_link(folder: Path, secret: Path) -> None:
    (folder / "report.xml").symlink_to(secret)
    write_file(folder, "report.xml", b"report")
    assert (secret.read_text(), (folder / "report.xml").read_bytes()) == (SECRET, b"report")
    assert [entry.name for entry in folder.iterdir()] == ["report.xml"]


def _sparse(folder: Path) -> None:
    with (folder / "sparse").open("wb") as file:
        file.truncate(1 << 40)


def _many(folder: Path) -> None:
    for number in range(BOUNDS.entries + 1):
        (folder / str(number)).touch()


def _deep(folder: Path) -> None:
    (folder / "/".join("d" * (BOUNDS.depth + 1))).mkdir(parents=True)


def _large(folder: Path) -> None:
    for number in range(3):
        (folder / str(number)).write_bytes(bytes(MIB // 2))


@pytest.mark.parametrize("fill", [_sparse, _many, _deep, _large])
def test_more_than_the_bounds_is_not_copied(folder: Path, tmp_path: Path, fill: Callable[[Path], None]) -> None:
    fill(folder)
    with pytest.raises(TooLarge):
        copy_tree(folder, tmp_path / "copy", BOUNDS)
    assert sum(file.stat().st_size for file in (tmp_path / "copy").rglob("*") if file.is_file()) <= BOUNDS.size


@pytest.mark.parametrize("fill", [_many, _deep])
def test_more_than_the_bounds_is_not_listed(folder: Path, fill: Callable[[Path], None]) -> None:
    fill(folder)
    with pytest.raises(TooLarge):
        list(list_entries(folder, BOUNDS))


def test_a_sparse_file_is_judged_before_it_is_read(folder: Path) -> None:
    _sparse(folder)
    with pytest.raises(TooLarge, match=str(1 << 40)):
        read_file(folder, "sparse", largest=MIB)


def test_names_with_odd_bytes_are_copied(folder: Path, tmp_path: Path) -> None:
    names = [b"\xff\xfe", b"line\nbreak", b"back\\slash", b" "]
    for name in names:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text("x")
    copy_tree(folder, tmp_path / "copy", BOUNDS)
    assert {os.fsencode(entry.name) for entry in (tmp_path / "copy").iterdir()} == set(names)


def test_of_sources_at_hand_links_and_files_with_other_names_are_copied(
    folder: Path, secret: Path, tmp_path: Path
) -> None:
    (folder / "link").symlink_to("../secret")
    _hard_link(folder / "name", secret)
    copy_tree(folder, tmp_path / "copy", BOUNDS, trusted=True)
    assert (tmp_path / "copy/link").readlink() == Path("../secret")
    assert (tmp_path / "copy/name").read_text() == SECRET


def test_a_program_stays_one_and_no_more_than_that(folder: Path, tmp_path: Path) -> None:
    (folder / "run").touch()
    (folder / "run").chmod(0o4755)
    copy_tree(folder, tmp_path / "copy", BOUNDS)
    assert (tmp_path / "copy/run").stat().st_mode & 0o7777 == 0o755


def test_a_folder_that_is_swapped_for_a_link_meanwhile_gives_nothing_away(tmp_path: Path, secret: Path) -> None:
    """A thread swaps folder/x between a folder of its own and a link to the secret's, as fast as it can."""
    folder, own, away = tmp_path / "folder", tmp_path / "folder/x", tmp_path / "away"
    own.mkdir(parents=True)
    (own / "secret").write_text("nothing")
    keys = tmp_path / "keys"
    keys.mkdir()
    secret.rename(keys / "secret")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            own.rename(away)
            own.symlink_to(keys)
            own.unlink()
            away.rename(own)

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        for number in range(300):
            copy = tmp_path / "copies" / str(number)
            copy_tree(folder, copy, BOUNDS)
            copied_text = copy / "x/secret"
            assert not copied_text.exists() or copied_text.read_text() == "nothing"
    finally:
        stop.set()
        swapping.join()
