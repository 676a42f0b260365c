"""What a waiting person is told of one suite run: how far it is, and what it came to."""

from __future__ import annotations

import re

from bot.gate.process import Finished
from bot.model import CaseOutcome, Progress, SuiteRun

_COUNT = re.compile(r"^(?P<case>\S+::.+?) (?P<outcome>[A-Z]+).* \[ *(?P<done>\d+)/(?P<all>\d+)\]$")
_STARTED = re.compile(r"^(\S+::\S+)")


class Reporter:
    """Turns pytest's lines into a progress line at each fifth of the cases."""

    def __init__(self, name: str, progress: Progress) -> None:
        self._name, self._progress, self._told = name, progress, 0

    def __call__(self, line: str) -> None:
        """Take one line that the run printed."""
        count = _COUNT.match(line)
        if count and int(count["done"]) * 5 // int(count["all"]) > self._told:
            self._told = int(count["done"]) * 5 // int(count["all"])
            self._progress(f"{self._name} run: {count['done']} of {count['all']} cases")


def last_case(finished: Finished) -> str:
    """Name the case that was running: pytest prints its name when it starts and its outcome when it ends."""
    for line in reversed(finished.tail):
        started = _STARTED.match(line)
        if started and not _COUNT.match(line):
            return f" during {started[1]}"
    return ""


def last_lines(finished: Finished) -> str:
    """Put the end of what a run printed on one line."""
    return " / ".join(line for line in finished.tail[-5:] if line.strip()) or "it printed nothing"


def summary(run: SuiteRun) -> str:
    """Say what a run came to."""
    if run.problem:
        return run.problem
    counts = ", ".join(f"{run.count(outcome)} {outcome}" for outcome in CaseOutcome if run.count(outcome))
    return f"{counts} in {run.seconds:.1f} s on {run.device or 'an unnamed device'}"
