"""Splits the output of a fetch or a push into progress for a person and messages for an error."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from git import RemoteProgress

from bot.models import Progress, silent

_PROGRESS = re.compile(
    r"(?:remote: )?(?:(?:Enumerating|Counting|Compressing|Writing|Receiving|Unpacking) objects: |Resolving deltas: "
    r"|Checking connectivity: |Delta compression using |Total \d)"
)
# https://git-scm.com/docs/git-fetch#_output, without what was rejected
_SUMMARY = re.compile(r"From | [ +*=t-] ")
_STEPS = {
    RemoteProgress.COUNTING: "Counting objects",
    RemoteProgress.COMPRESSING: "Compressing objects",
    RemoteProgress.RECEIVING: "Receiving objects",
    RemoteProgress.WRITING: "Sending objects",
    RemoteProgress.RESOLVING: "Unpacking objects",
}
_PAUSE = 10.0
"""Seconds between two lines of progress."""


class TransferOutput(RemoteProgress):
    """Collects git's messages, and reports the progress of a long transfer."""

    def __init__(self, report: Progress = silent) -> None:
        super().__init__()
        self._report = report
        self._reported = time.monotonic()
        self._lines: list[str] = []

    @property
    def messages(self) -> str:
        """All that git printed except progress and the summary of a fetch."""
        return "".join(f"{line}\n" for line in self._lines)

    def new_message_handler(self) -> Callable[[str], None]:
        """Return the callback that GitPython calls with each line.

        GitPython gets only the lines of progress. It would log errors as they are, including secrets, and it cannot
        read the summary of a fetch that names commits.
        """
        parse = super().new_message_handler()

        def handle(line: str) -> None:
            if _PROGRESS.match(line):
                parse(line)
            elif line.strip() and not _SUMMARY.match(line):
                self._lines.append(line.rstrip())

        return handle

    def update(
        self, op_code: int, cur_count: str | float, max_count: str | float | None = None, message: str = ""
    ) -> None:
        """Report a step's progress, at most one line in ten seconds."""
        step = _STEPS.get(op_code & self.OP_MASK)
        if step is None or time.monotonic() < self._reported + _PAUSE:
            return
        self._reported = time.monotonic()
        count = f"{float(cur_count):,.0f} of {float(max_count):,.0f}" if max_count else f"{float(cur_count):,.0f}"
        self._report(f"{step}: {count}{f' ({message})' if message else ''}")
