"""Line ends that main changed and the branch did not: an original is picked in the branch's own.

base ── normalised ── original (main); base ── [the branch's own change] (the target)
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.git.line_endings import with_line_ends_of
from bot.git.repository import Repository
from bot.git.trial_pick import CleanPick, EmptyPick, UnmergedPick, try_pick
from bot.models import Sha
from tests.git.history import History

LINES = [f"line {number}" for number in range(12)]
ADDED = [*LINES[:5], "a new line", *LINES[5:]]
CHANGED = [*LINES[:5], "line five, fixed", *LINES[6:]]
WINDOWS, UNIX = "\r\n", "\n"


def text(lines: list[str], end: str) -> bytes:
    return "".join(f"{line}{end}" for line in lines).encode()


@pytest.fixture
def repository(history: History) -> Repository:
    return Repository.open(history.directory)


def pick(
    repository: Repository, original: Sha, onto: Sha, path: str = "f"
) -> tuple[CleanPick | EmptyPick | UnmergedPick, bytes | None]:
    """Try a pick; return how it ends and what the file became."""
    with repository.quarantine() as quarantine:
        with_ends = try_pick(quarantine, original, quarantine.commit(onto).tree)
        return with_ends, None if isinstance(with_ends, EmptyPick) else quarantine.read(with_ends.tree, path)


@pytest.mark.parametrize(("theirs", "ours"), [(UNIX, WINDOWS), (WINDOWS, UNIX)])
@pytest.mark.parametrize("fixed", [ADDED, CHANGED], ids=["added", "changed"])
def test_the_pick_has_the_branch_s_line_ends(
    history: History, repository: Repository, theirs: str, ours: str, fixed: list[str]
) -> None:
    base = history.commit({"f": text(LINES, ours)})
    unix_text = history.commit({"f": text(LINES, theirs)}, base)
    original = history.commit({"f": text(fixed, theirs)}, unix_text)
    with_ends, content = pick(repository, original, base)
    assert isinstance(with_ends, CleanPick)
    assert content == text(fixed, ours)


def test_a_renamed_file_without_a_last_line_end_keeps_its_own(history: History, repository: Repository) -> None:
    base = history.commit({"f": text(LINES, UNIX)[:-1]})
    target = history.commit({"f": None, "g": text([*LINES[:-1], "the branch's"], WINDOWS)[:-2]}, base)
    original = history.commit({"f": text(CHANGED, UNIX)[:-1]}, base)
    with_ends, content = pick(repository, original, target, "g")
    assert isinstance(with_ends, CleanPick)
    assert content == text([*CHANGED[:-1], "the branch's"], WINDOWS)[:-2]


def test_what_still_conflicts_conflicts_only_where_the_texts_do(history: History, repository: Repository) -> None:
    base = history.commit({"f": text(LINES, WINDOWS)})
    target = history.commit({"f": text([*LINES[:5], "the branch's five", *LINES[6:]], WINDOWS)}, base)
    unix_text = history.commit({"f": text(LINES, UNIX)}, base)
    original = history.commit({"f": text(CHANGED, UNIX)}, unix_text)
    with_ends, content = pick(repository, original, target)
    assert isinstance(with_ends, UnmergedPick)
    assert content is not None
    settled, _, disputed = content.partition(b"<<<<<<<")
    assert settled == text(LINES[:5], WINDOWS)
    assert disputed.endswith(text(LINES[6:], WINDOWS))


def test_a_fix_that_the_branch_has_in_its_own_line_ends_changes_nothing(
    history: History, repository: Repository
) -> None:
    base = history.commit({"f": text(LINES, WINDOWS)})
    target = history.commit({"f": text(CHANGED, WINDOWS)}, base)
    unix_text = history.commit({"f": text(LINES, UNIX)}, base)
    original = history.commit({"f": text(CHANGED, UNIX)}, unix_text)
    assert isinstance(pick(repository, original, target)[0], EmptyPick)


def test_line_ends_that_are_the_original_s_own_change_or_content_stay(history: History, repository: Repository) -> None:
    base = history.commit({"f": text(LINES, WINDOWS)})
    target = history.commit({"f": text([*LINES[:-1], "the branch's"], WINDOWS)}, base)
    normalises = history.commit({"f": text(LINES, UNIX)}, base)
    assert isinstance(pick(repository, normalises, target)[0], UnmergedPick)
    mixed = text(LINES[:6], UNIX) + text(LINES[6:], WINDOWS)
    first = history.commit({"f": mixed}, base)
    original = history.commit({"f": mixed.replace(b"line 5", b"fixed")}, first)
    assert isinstance(pick(repository, original, target)[0], UnmergedPick)


def test_a_branch_with_both_line_ends_keeps_each_line_s_own() -> None:
    ours = b"one\r\ntwo\nthree\r\nfour\r\n"
    assert with_line_ends_of(ours, b"one\ntwo\nnew\nthree\nfour\n") == b"one\r\ntwo\nnew\r\nthree\r\nfour\r\n"


def test_a_changed_line_of_a_branch_with_both_line_ends_ends_as_the_line_whose_place_it_takes() -> None:
    ours = b"one\r\ntwo\r\nthree\r\nfour\nfive\nsix\nseven\n"
    assert with_line_ends_of(ours, b"ONE\ntwo\nnew\nthree\nFOUR\nfive\nsix\nseven\n") == (
        b"ONE\r\ntwo\r\nnew\r\nthree\r\nFOUR\nfive\nsix\nseven\n"
    )


def test_binary_files_are_left_alone(history: History, repository: Repository, tmp_path: Path) -> None:
    base = history.commit({"f": b"\0a\r\nb\r\n"})
    unix_text = history.commit({"f": b"\0a\nb\n"}, base)
    original = history.commit({"f": b"\0a\nb\nc\n"}, unix_text)
    assert isinstance(pick(repository, original, base)[0], UnmergedPick)
