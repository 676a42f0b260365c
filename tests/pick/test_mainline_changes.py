"""What main did to files is read once for all branches, and each sees what came after it left."""

from __future__ import annotations

import pytest

from bot.git.first_parents import FirstParents
from bot.git.line_history import file_changes
from bot.git.repository import Repository
from bot.pick import mainline_changes
from bot.pick.mainline_changes import MainlineChanges
from tests.git.history import History


def test_branches_that_left_at_different_times_share_one_reading(
    history: History, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """root ── one ── two ── merge of side ── tip (main); branches left at root, one, two and side"""
    root = history.commit({"f": "0\n", "g": "0\n"})
    one = history.commit({"f": "one\n"}, root)
    two = history.commit({"g": "two\n"}, one)
    side = history.commit({"f": "side\n"}, one)
    merged = history.commit({"f": "side\n"}, two, side)
    tip = history.commit({"f": "tip\n"}, merged)
    readings: list[object] = []

    def counted(*arguments: object, **options: object) -> object:
        readings.append(arguments)
        return file_changes(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(mainline_changes, "file_changes", counted)
    shared = MainlineChanges(FirstParents())
    for since in (root, one, two, side, None):
        separate_changes = file_changes(repository, since, tip, ["f", "g"], seconds=10)
        assert shared.read(repository, tip, since, ["f", "g"]) == separate_changes, since
    assert len(readings) == 1
    assert [change.commit for change in shared.read(repository, one, root, ["f"])["f"]] == [one]
