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


def test_a_line_that_was_asked_about_answers_as_a_new_one(history: History, repository: Repository) -> None:
    """root ── one ── two ── merge of side ── tip; side and unrelated are no part of the line"""
    root = history.commit({"f": "0\n"})
    one = history.commit({"f": "one\n"}, root)
    two = history.commit({"g": "two\n"}, one)
    side = history.commit({"h": "side\n"}, one)
    merged = history.commit({"h": "side\n"}, two, side)
    tip = history.commit({"f": "tip\n"}, merged)
    after, unrelated = history.commit({"f": "after\n"}, tip), history.commit({"f": "unrelated\n"})
    line = FirstParents()
    for until in (tip, one, merged, two, one, tip):
        for since in (after, side, unrelated, root, two, None, side, after):
            commits, start, end = line.between(repository, since, until)
            excluded = [f"^{since}"] if since else []
            expected = repository.git.text("rev-list", "--first-parent", until, *excluded).split()
            assert list(commits[start : max(start, end)]) == expected, (since, until)
