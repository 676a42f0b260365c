"""The index of backports: what the branches' messages say, kept from one process to the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.git.repository import Repository
from bot.models import Sha
from bot.pick.backport_index import BackportIndex
from tests.git.history import History


def _branch_with_backport(history: History) -> tuple[Sha, Sha, Sha]:
    """base ── original (main); base ── backport (release)"""
    base = history.commit({"f": "a\n"})
    original = history.commit({"f": "b\n"}, base)
    backport = history.commit({"f": "b\n"}, base, message=f"Fix\n\n(cherry picked from commit {original})")
    history.branch("release", backport)
    return base, original, backport


def _found(index: BackportIndex, original: Sha) -> list[Sha]:
    return [pull.commit for pull in index.backports(original)]


def test_index_is_read_from_its_file_and_only_what_is_new_from_the_history(
    history: History, repository: Repository, tmp_path: Path
) -> None:
    base, original, backport = _branch_with_backport(history)
    BackportIndex.open(tmp_path / "index.json").read(repository)
    second = history.commit({"f": "b\n"}, base, message="Something else")
    history.branch("other", second)
    second_store = BackportIndex.open(tmp_path / "index.json")
    assert _found(second_store, original) == [backport]
    second_store.read(repository)
    assert second_store.read_tips == {backport, second}


@pytest.mark.parametrize("content", ["", "[]", '{"tips": 1}', '{"found": {"a": [[1]]}, "tips": []}', "\udcff"])
def test_a_file_that_cannot_be_read_is_made_anew(
    content: str, history: History, repository: Repository, tmp_path: Path
) -> None:
    _base, original, backport = _branch_with_backport(history)
    (tmp_path / "index.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    index = BackportIndex.open(tmp_path / "index.json")
    index.read(repository)
    assert _found(index, original) == [backport]
    assert _found(BackportIndex.open(tmp_path / "index.json"), original) == [backport]


def test_a_tip_that_is_gone_does_not_stop_the_reading(history: History, repository: Repository) -> None:
    _base, original, backport = _branch_with_backport(history)
    index = BackportIndex(read_tips={Sha("0" * 39 + "1")})
    index.read(repository)
    assert _found(index, original) == [backport]
