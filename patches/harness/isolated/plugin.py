"""The pytest side: a run that starts up before its turn, and what it says of itself.

Cases that are marked `first` come before the others: a child prepares meanwhile what the others need. Cases that are
marked `last` come after them: they ask for what a child did.
"""

from __future__ import annotations

import gc
from collections.abc import Generator, Sequence

import pytest
from _pytest.junitxml import xml_key

from isolated import hooks, turn, walls
from isolated.errors import HarnessError

FIRST, LAST = "first", "last"


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Offer the hooks of the run."""
    pluginmanager.add_hookspecs(hooks)


def pytest_configure(config: pytest.Config) -> None:
    """Hide this process from the one that runs the target's code, and make the marker known."""
    walls.hide()
    gc.freeze()  # what is imported by now outlives the run: pytest collects all garbage several times at its end
    config.addinivalue_line("markers", f"{FIRST}: runs before the cases without this mark")
    config.addinivalue_line("markers", f"{LAST}: runs after the cases without this mark")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Leave out pytest's capture of log records: no case logs, and it takes longer than many a case."""
    session.config.pluginmanager.unregister(name="logging-plugin")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first and last what is marked so."""
    items.sort(key=lambda item: (not item.get_closest_marker(FIRST), bool(item.get_closest_marker(LAST))))


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Wait for the turn, begin, run the cases, and end; without a case there is nothing to wait for."""
    if session.config.option.collectonly or not session.items:
        return (yield)
    hook = session.config.hook
    hook.pytest_run_prepare(session=session)
    turn.wait()
    try:
        _note(session, hook.pytest_run_begin(session=session))
        result = yield
    finally:
        _note(session, hook.pytest_run_end(session=session))
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report the harness's own limits as errors: a failure is a finding about the target."""
    report = yield
    if call.excinfo is not None and call.excinfo.errisinstance(HarnessError) and report.when == "call":
        report.when = "setup"
    return report


def _note(session: pytest.Session, answers: Sequence[dict[str, str]]) -> None:
    # What the fixture `record_testsuite_property` does; that one needs a case to belong to.
    xml = session.config.stash.get(xml_key, None)
    for name, value in ((name, value) for answer in answers for name, value in answer.items()):
        if xml and (name, value) not in xml.global_properties:
            xml.add_global_property(name, value)
