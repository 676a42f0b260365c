"""The repositories of the tests of git, for picking."""

from __future__ import annotations

import pytest

from bot.pick import explain_conflict, mainline_changes
from tests.git.conftest import history, judge, repository

__all__ = ["history", "judge", "repository"]


@pytest.fixture(autouse=True)
def time_to_explain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give explanations enough time on a busy machine, so that no test depends on its load."""
    monkeypatch.setattr(explain_conflict, "SECONDS", 60.0)
    monkeypatch.setattr(explain_conflict, "ALL_SECONDS", 60.0)
    monkeypatch.setattr(mainline_changes, "_SECONDS", 60.0)
    monkeypatch.setattr(mainline_changes, "_ALL_SECONDS", 60.0)
