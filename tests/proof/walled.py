"""A one-file suite inside the walls, and what it complains of; and processes of ours that are looked for afterwards."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path

import pytest

from bot.models import CaseOutcome, Suite, SuiteRun
from bot.proof.isolated_command import IsolationSettings, obstacle
from bot.proof.pytest_suite import run_suite
from bot.proof.run_isolated import RunOptions

walled = pytest.mark.skipif(bool(obstacle()), reason="this machine lets no process have namespaces of its own")


def run(folder: Path, text: str, isolation: IsolationSettings | None = None, *, device: str = "cpu") -> SuiteRun:
    """Run a one-file suite inside the walls; it and its tree lie in the folder."""
    for name in ("suite", "tree"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "suite" / "test_it.py").write_text(textwrap.dedent(text), encoding="utf-8")
    suite = Suite(name="it", directory=folder / "suite", timeout=60)
    options = RunOptions(isolation=isolation or IsolationSettings())
    return run_suite(folder / "tree", suite, name="base", device=device, options=options)


def complaints(run: SuiteRun) -> list[str]:
    """List what did not pass."""
    assert run.problem == ""
    return [f"{case.name}: {case.message}" for case in run.cases if case.outcome is not CaseOutcome.PASSED]


def left(word: str, *, within: float = 30.0) -> list[str]:
    """Name the processes that still have this word on their command line after so many seconds."""
    deadline = time.monotonic() + within
    while (there := processes(word)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return there


def processes(word: str) -> list[str]:
    """Name the processes that have this word on their command line now."""
    matches = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in path.read_bytes():
                matches.append(path.parent.name)
        except OSError:
            continue
    return matches
