"""Fixtures with real repositories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.git.repository import Repository
from tests.git.history import History, Judge


@pytest.fixture
def history(tmp_path: Path) -> History:
    """Return an empty bare repository to make a history in."""
    return History(tmp_path / "history.git")


@pytest.fixture
def judge(history: History, tmp_path: Path) -> Judge:
    """Return a worktree on the same objects, where git itself picks."""
    return Judge(history, tmp_path / "judge")


@pytest.fixture
def repository(history: History) -> Iterator[Repository]:
    """Return the history as the program sees it."""
    with Repository.open(history.directory) as opened:
        yield opened
