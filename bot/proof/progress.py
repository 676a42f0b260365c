"""Progress lines about one suite run: how far it is, and its result."""

from __future__ import annotations

import re

from bot.models import CaseOutcome, Progress, SuiteRun
from bot.proof.process import ProcessResult
from bot.text.sanitize import printable_line

_OUTCOME = re.compile(r" [A-Z]{4,}\b")
LONGEST_SHOWN = 1000
_DIGITS = 7
"""Of a number of cases."""


class Reporter:
    """Turns pytest's lines into a progress line at each fifth of the cases."""

    def __init__(self, name: str, progress: Progress) -> None:
        self._name, self._progress, self._fifths = name, progress, 0

    def __call__(self, line: str) -> None:
        """Take one line that the run printed."""
        count = _count(line)
        if count and count[0] * 5 // count[1] > self._fifths:
            self._fifths = count[0] * 5 // count[1]
            self._progress(f"{self._name} run: {count[0]} of {count[1]} cases")


def _count(line: str) -> tuple[int, int] | None:
    """Read `test_a.py::test_b PASSED [ 12/345]`, which is printed when a case has ended; None for any other line."""
    name, bracket, count = line.rpartition("[")
    position, slash, total = count.removesuffix("]").strip().partition("/")
    if not (bracket and slash and line.endswith("]") and _case_name(name) and _OUTCOME.search(name)):
        return None
    if not all(number.isascii() and number.isdecimal() and len(number) <= _DIGITS for number in (position, total)):
        return None
    return (int(position), int(total)) if 0 < int(position) <= int(total) else None


def _case_name(line: str) -> str:
    """Return the name with which a line begins, if it is a case's."""
    name = line.split(" ", 1)[0]
    return name if "::" in name.strip(":") else ""


def why_stopped(result: ProcessResult, timeout: float) -> str:
    """Say why a run was ended from outside, or wrote too much to be believed; empty for any other end."""
    if result.excess:
        return f"{result.excess}, and was stopped{last_case(result)}."
    return f"it was stopped after {timeout:g} s{last_case(result)}." if result.timed_out else ""


def last_case(result: ProcessResult) -> str:
    """Name the case that was running: pytest prints its name when it starts and its outcome when it ends."""
    for line in reversed(result.tail):
        name = _case_name(line)
        if name and not _count(line):
            return f" during {printable_line(name, LONGEST_SHOWN)}"
    return ""


def last_lines(result: ProcessResult) -> str:
    """Put the end of what a run printed on one line of at most LONGEST_SHOWN characters."""
    text = " / ".join(line for line in result.tail[-5:] if line.strip())
    return (text if len(text) <= LONGEST_SHOWN else f"…{text[1 - LONGEST_SHOWN :]}") or "it printed nothing"


def summary(run: SuiteRun) -> str:
    """Return the result of a run in one line."""
    if run.problem:
        return run.problem
    counts = ", ".join(f"{run.count(outcome)} {outcome}" for outcome in CaseOutcome if run.count(outcome))
    return f"{counts} in {run.seconds:.1f} s on {run.device or 'an unnamed device'}"
