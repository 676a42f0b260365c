"""Time-outs without the waiting: a client gives up as soon as the fake GitHub keeps an answer back.

So its time-out can be long, and an answer that a busy machine is slow to give is not taken for a lost one.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection
from urllib3.util.wait import wait_for_read

from bot.fake_github import FakeGitHub
from bot.git import connection
from bot.git.environment import SETTINGS

_STEP = 0.01


def give_up_early(fake_github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests time out at once if no answer will come, and git's after a second.

    On a busy machine an answer to git can take longer than a second, so git tries more often than it does.
    """
    monkeypatch.setattr(HTTPConnection, "getresponse", _answer_or_time_out(fake_github))
    monkeypatch.setattr(connection, "_PAUSES", (0.0,) * 6)
    monkeypatch.setattr("bot.git.process.SETTINGS", (*SETTINGS, "-c", "http.lowSpeedTime=1"))


def _answer_or_time_out(fake_github: FakeGitHub) -> Callable[[HTTPConnection], HTTPResponse]:
    read_answer = HTTPConnection.getresponse

    def getresponse(self: HTTPConnection) -> HTTPResponse:
        while self.sock is not None and not wait_for_read(self.sock, _STEP):
            if fake_github.is_silent(self.sock.getsockname()):
                raise TimeoutError  # as a socket does whose time is over
        return read_answer(self)

    return getresponse
