"""A schedule that overlaps its last run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.errors import BackportError
from bot.sync.lock import only_one


def test_a_second_run_does_nothing_and_says_who_is_at_work(tmp_path: Path) -> None:
    with only_one(tmp_path / "data"):
        with pytest.raises(BackportError) as error, only_one(tmp_path / "data"):
            pytest.fail("two at once")
        assert f"process {os.getpid()}" in error.value.message
        with only_one(tmp_path / "other"):
            pass


def test_the_next_run_may_come_once_the_last_has_ended(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), only_one(tmp_path):
        raise RuntimeError
    with only_one(tmp_path):
        pass
