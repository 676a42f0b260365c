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

    for name in ("HOME", "XDG_CACHE_HOME", "BACKPORT_BOT_CACHE", "RUNNER_TEMP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert cache_directory() == Path("/.cache/backport-bot")


def test_a_runner_s_caches_lie_where_its_container_daemon_sees_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BACKPORT_BOT_CACHE", raising=False)
    monkeypatch.setenv("RUNNER_TEMP", "/home/runner/_work/_temp")
    assert cache_directory() == Path("/home/runner/_work/_temp/backport-bot-cache")
    monkeypatch.setenv("BACKPORT_BOT_CACHE", "/data/cache")
    assert cache_directory() == Path("/data/cache")
