"""Repositories take turns, and a job is overtaken only by what comes soon after it."""

from __future__ import annotations

import pytest

from bot.server import turns


def test_a_job_is_overtaken_only_by_what_comes_soon_after(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_800_000_000.0
    monkeypatch.setattr(turns, "seconds", lambda: now)
    third_of_one = turns.priority(2)
    assert turns.priority(0) > third_of_one
    now += 29 * 60
    assert turns.priority(0) > third_of_one
    now += 2 * 60
    assert turns.priority(0) < third_of_one
