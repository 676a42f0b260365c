"""The pytest side: hands the cases to a forked process, reports what comes back, and goes on when the process dies.

Owns the run. A case whose process dies or hangs is a failing case with what it said last; it is never run again.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from _pytest.junitxml import xml_key

from isolated import hooks
from isolated.worker import work

LIMIT = "SUITE_CASE_SECONDS"
_LIMIT_SECONDS = 240.0
_DUMP_SECONDS = 1.0
"""How long a hanging process gets to say where it hangs."""
_SAID = 1200
"""Characters of what a process printed last that a report repeats."""
_FRAMES = 6


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Offer the hooks of the forked process."""
    pluginmanager.add_hookspecs(hooks)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run all cases; None leaves the loop to pytest where nothing is to be run."""
    if session.config.option.collectonly:
        return None
    if session.testsfailed and not session.config.option.continue_on_collection_errors:
        raise session.Interrupted(f"{session.testsfailed} errors during collection")
    waiting = deque(range(len(session.items)))
    while waiting:
        _Process(session, tuple(waiting)).follow(waiting)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
    return True


@dataclass
class _Process:
    """One forked process, from its start until it has ended."""

    session: pytest.Session
    places: Sequence[int]
    current: int | None = None
    phases: list[str] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)

    def follow(self, waiting: deque[int]) -> None:
        """Report the cases that end, take them off `waiting`, and answer for the one that did not end."""
        limit = float(os.environ.get(LIMIT, _LIMIT_SECONDS))
        with tempfile.NamedTemporaryFile("w+", prefix="said-", errors="replace") as said:
            here, home = multiprocessing.Pipe(duplex=False)
            pid = os.fork()
            if pid == 0:
                here.close()
                work(self.session, self.places, home, said.file)
            home.close()
            try:
                hung = self._listen(here, limit, waiting)
                if hung:
                    _ask_where(pid)
            finally:
                here.close()
                ended = _end(pid, kill=True)
            if waiting and (hung or ended or self._left_off(waiting)):
                self._lost(waiting, _why(hung, limit, ended, Path(said.name)))

    def _listen(self, here: Connection, limit: float, waiting: deque[int]) -> bool:
        """Take in what the process sends until it sends no more; True where it went silent for too long."""
        while here.poll(limit):
            try:
                kind, content = here.recv()
            except (EOFError, OSError):
                return False
            self._take(kind, content, waiting)
        return True

    def _take(self, kind: str, content: Any, waiting: deque[int]) -> None:
        if kind == "properties":
            _note(self.session, content)
        elif kind == "left":
            reason, code = content
            pytest.exit(reason, returncode=code)
        elif kind == "report":
            self._log(
                self.session.config.hook.pytest_report_from_serializable(config=self.session.config, data=content)
            )
        elif kind == "started":
            self._start(content)
        else:
            waiting.popleft()
            self._finish()

    def _start(self, place: int) -> None:
        item = self.session.items[place]
        self.current, self.phases, self.since = place, [], time.monotonic()
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)

    def _finish(self) -> None:
        if self.current is not None:
            item = self.session.items[self.current]
            item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        self.current = None

    def _log(self, report: pytest.TestReport) -> None:
        self.phases.append(str(report.when))
        self.session.config.hook.pytest_runtest_logreport(report=report)

    def _left_off(self, waiting: deque[int]) -> bool:
        """Whether the process ended in the middle of a case, or did nothing at all."""
        return self.current is not None or len(waiting) == len(self.places)

    def _lost(self, waiting: deque[int], why: str) -> None:
        """Let the case that was running fail. One that had not begun is an error: nothing was found out about it."""
        begun = self.current is not None
        if not begun:
            self._start(waiting[0])
        waiting.popleft()
        self._log(self._report("call" if begun else "setup", "failed", why))
        self._log(self._report("teardown", "passed", None))
        self._finish()

    def _report(self, when: Any, outcome: Any, text: str | None) -> pytest.TestReport:
        item = self.session.items[self.current or 0]
        now = time.time()
        spent = time.monotonic() - self.since
        return pytest.TestReport(
            item.nodeid, item.location, {}, outcome, text, when, duration=spent, start=now - spent, stop=now
        )


def _note(session: pytest.Session, properties: dict[str, str]) -> None:
    # What the fixture `record_testsuite_property` does; that one needs a case to belong to.
    xml = session.config.stash.get(xml_key, None)
    for name, value in properties.items() if xml else ():
        if (name, value) not in xml.global_properties:
            xml.add_global_property(name, value)


def _ask_where(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGUSR2)
        time.sleep(_DUMP_SECONDS)


def _end(pid: int, *, kill: bool) -> int:
    """Reap the process; return its exit code, negative for a signal. One that goes on after its last word is killed."""
    deadline = time.monotonic() + _DUMP_SECONDS
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    if kill:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _why(hung: bool, limit: float, code: int, said: Path) -> str:
    fact = f"it hung and was stopped after {limit:g} s" if hung else _ending(code)
    words = _last_words(said.read_text(errors="replace"))
    return f"{fact}; it said last: {words}" if words else f"{fact}, without a word"


def _last_words(text: str) -> str:
    """Cut out the end of what was printed; of a dumped stack its first frames, which are the newest."""
    before, stack, frames = text.rstrip().rpartition("(most recent call first):")
    shown = frames.splitlines()[: _FRAMES + 1] if stack else []
    return (before + stack)[-_SAID:].strip() + "\n".join(shown) if stack else frames[-_SAID:].strip()


def _ending(code: int) -> str:
    if code >= 0:
        return f"its process left with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process was ended by signal {-code}"
