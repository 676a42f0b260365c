"""The pytest side: hands the cases to a forked process, reports what comes back, and goes on when the process dies.

Owns the run. A case whose process dies or hangs is a failing case with what it said last; it is never run again. Cases
that are marked `apart` have a process beside that of the others, and are reported after them.
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
from pathlib import Path
from typing import Any

import pytest
from _pytest.junitxml import xml_key

from isolated import hooks, turn
from isolated.worker import work

APART = "apart"
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


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", f"{APART}: uses no device, and runs beside the others in a process of its own")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run all cases; None leaves the loop to pytest where nothing is to be run."""
    if session.config.option.collectonly:
        return None
    if session.testsfailed and not session.config.option.continue_on_collection_errors:
        raise session.Interrupted(f"{session.testsfailed} errors during collection")
    waiting = _grouped(session)
    started = {apart: _Process(session, tuple(places), apart) for apart, places in waiting.items()}
    try:
        for apart, process in started.items():
            _run_all(process, waiting[apart])
    finally:
        for process in started.values():
            process.end()
    return True


def _grouped(session: pytest.Session) -> dict[bool, deque[int]]:
    """Tell the items that run apart from the others, which come first."""
    groups: dict[bool, deque[int]] = {False: deque(), True: deque()}
    for place, item in enumerate(session.items):
        groups[item.get_closest_marker(APART) is not None].append(place)
    return {apart: places for apart, places in groups.items() if places}


def _run_all(process: _Process, waiting: deque[int]) -> None:
    """Follow a process, and another one for what is left whenever one dies."""
    session = process.session
    process.follow(waiting)
    while waiting and not (session.shouldfail or session.shouldstop):
        following = _Process(session, tuple(waiting), process.apart)
        try:
            following.follow(waiting)
        finally:
            following.end()
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)


class _Process:
    """One forked process, from its start until it has ended."""

    def __init__(self, session: pytest.Session, places: Sequence[int], apart: bool) -> None:
        """Start it; what it sends waits in a pipe until it is followed."""
        self.session, self.places, self.apart = session, places, apart
        self.current: int | None = None
        self.phases: list[str] = []
        self.since = time.monotonic()
        self.code: int | None = None
        self._said = tempfile.NamedTemporaryFile("w+", prefix="said-", errors="replace")  # noqa: SIM115 - closed by end()
        self._here, home = multiprocessing.Pipe(duplex=False)
        self.pid = os.fork()
        if self.pid == 0:
            self._here.close()
            work(session, places, home, self._said.file, apart=apart)
        home.close()

    def follow(self, waiting: deque[int]) -> None:
        """Report the cases that end, take them off `waiting`, and answer for the one that did not end."""
        limit = float(os.environ.get(LIMIT, _LIMIT_SECONDS))
        turn.wait()
        hung = self._listen(limit, waiting)
        if hung:
            _ask_where(self.pid)
        ended = self._reap()
        if waiting and (hung or ended or self._left_off(waiting)):
            self._lost(waiting, _why(hung, limit, ended, Path(self._said.name)))

    def end(self) -> None:
        """Make sure that nothing of it is left."""
        self._reap()
        self._said.close()

    def _reap(self) -> int:
        self._here.close()
        if self.code is None:
            self.code = _end(self.pid)
        return self.code

    def _listen(self, limit: float, waiting: deque[int]) -> bool:
        """Take in what the process sends until it sends no more; True where it went silent for too long."""
        while self._here.poll(limit):
            try:
                kind, content = self._here.recv()
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


def _end(pid: int) -> int:
    """Reap the process; return its exit code, negative for a signal. One that goes on after its last word is killed."""
    deadline = time.monotonic() + _DUMP_SECONDS
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
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
