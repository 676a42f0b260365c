"""Where what can be made again is kept."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest

from bot.environment.cache_folder import cache_directory


def test_a_user_without_a_home_gets_a_folder_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that was started with a user's number alone."""

    def nobody(_user: int) -> pwd.struct_passwd:
        raise KeyError

    for name in ("HOME", "XDG_CACHE_HOME", "BACKPORT_BOT_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert cache_directory() == Path("/.cache/backport-bot")
