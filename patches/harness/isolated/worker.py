"""The forked process: runs cases in order and sends home what came of each.

Owns what happens between the fork and the process's end. Decides nothing about the run.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from collections.abc import Generator, Sequence
from multiprocessing.connection import Connection
from typing import Any, Literal, TextIO

import pytest
from _pytest.capture import CaptureManager
from _pytest.runner import runtestprotocol

from isolated import turn

Message = tuple[Literal["properties", "started", "report", "ended", "left"], Any]
"""What a worker sends: properties of the run, an item's index, a report as data, an item's index, an exit's reason."""


class LostDevice(AssertionError):
    """The process cannot go on after this case."""


class _Watch:
    """Asks after each case whether the process can go on; if not, the case fails and its teardown is not asked for."""

    def __init__(self) -> None:
        self.lost = ""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        try:
            result = yield
        finally:
            self.lost = item.ihook.pytest_case_process_lost(item=item) or ""
        if self.lost:
            raise LostDevice(self.lost)
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        try:
            return (yield)
        except Exception:
            # What cannot be taken down after a fault is not a second finding.
            if not self.lost:
                raise
            return None


def work(session: pytest.Session, places: Sequence[int], home: Connection, said: TextIO, *, apart: bool) -> None:
    """Run the items at these places and leave the process without ever returning; `said` takes what it prints."""
    _speak_into(session, said)
    code = 1
    try:
        _run(session, places, home, apart)
        code = 0
    except pytest.exit.Exception as left:
        home.send(("left", (str(left.msg), left.returncode)))
    finally:
        said.flush()
        home.close()
        os._exit(code)


def _speak_into(session: pytest.Session, said: TextIO) -> None:
    """Let everything printed from here on, also by a runtime that aborts the process, go to one file."""
    plugins = session.config.pluginmanager
    plugins.unregister(name="capturemanager")
    plugins.register(uncaptured := CaptureManager("no"), "capturemanager")
    uncaptured.start_global_capturing()
    sys.stdout = sys.stderr = said
    os.dup2(said.fileno(), 1)
    os.dup2(said.fileno(), 2)
    faulthandler.enable(said)
    faulthandler.register(signal.SIGUSR2, said)


def _run(session: pytest.Session, places: Sequence[int], home: Connection, apart: bool) -> None:
    watch = _Watch()
    session.config.pluginmanager.register(watch)
    hook = session.config.hook
    hook.pytest_case_process_prepare(session=session, apart=apart)
    turn.wait()
    home.send(("properties", _merged(hook.pytest_case_process_start(session=session, apart=apart))))
    for place, following in zip(places, [*places[1:], None], strict=True):
        home.send(("started", place))
        item = session.items[place]
        reports = runtestprotocol(item, log=False, nextitem=None if following is None else session.items[following])
        for report in reports:
            home.send(("report", hook.pytest_report_to_serializable(config=session.config, report=report)))
        home.send(("ended", place))
        if watch.lost:
            break
    home.send(("properties", _merged(hook.pytest_case_process_end(session=session))))


def _merged(answers: Sequence[dict[str, str]]) -> dict[str, str]:
    return {name: value for answer in answers for name, value in answer.items()}
