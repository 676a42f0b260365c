"""pytest as a program of its own, for a suite whose imports are most of its time. Its text is run by any interpreter.

The garbage collector rests while modules are imported, where it finds nothing and takes a fifth of the time, and what
they made is left alone by forked processes. At the end nothing is taken down: with torch that takes up to a second.

Where a file `seal` lies beside the report, its content is a secret: it is read and removed before anything else runs,
the report is kept in memory that no other process reaches, and what is left at the end is the report and its HMAC.
"""

from __future__ import annotations

import ctypes
import gc
import hashlib
import hmac
import os
import sys
from pathlib import Path

REPORT = "--junitxml="
_SET_DUMPABLE = 4
"""https://man7.org/linux/man-pages/man2/prctl.2.html: without it, no ptrace and no /proc/PID/mem, environ or fd."""


class CollectorControl:
    """Lets the garbage collector begin with what comes after the imports."""

    def pytest_collection_finish(self) -> None:
        """Begin."""
        gc.freeze()
        gc.enable()


class SealedReport:
    """The report of a run that is told a secret; without one it is written as it always is."""

    def __init__(self, arguments: list[str]) -> None:
        """Take the secret, and send the report to where only this process can write."""
        self.arguments, self._memory = arguments, -1
        self._report = Path(
            next((argument.removeprefix(REPORT) for argument in arguments if argument.startswith(REPORT)), ".")
        )
        self._secret = _take_secret(self._report.with_name("seal"))
        if self._secret and hasattr(os, "memfd_create"):
            ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)
            self._memory = os.memfd_create("report")
            option = f"{REPORT}/proc/self/fd/{self._memory}"
            self.arguments = [option if argument.startswith(REPORT) else argument for argument in arguments]

    def close(self) -> None:
        """Leave the report, and beside it its HMAC; nothing where pytest left before there was anything to report."""
        file = self._report if self._memory < 0 else Path(f"/proc/self/fd/{self._memory}")
        content = file.read_bytes() if self._secret and file.exists() else b""
        if content:
            self._report.write_bytes(content)
            seal = hmac.new(self._secret, content, hashlib.sha256).hexdigest()
            self._report.with_name(f"{self._report.name}.seal").write_text(seal, encoding="ascii")


def _take_secret(file: Path) -> bytes:
    """Read a file and remove it."""
    try:
        content = file.read_bytes()
        file.unlink()
    except (OSError, ValueError):
        return b""
    return content


if __name__ == "__main__":
    gc.disable()
    report = SealedReport(sys.argv[1:])
    import pytest

    code = int(pytest.main(report.arguments, plugins=[CollectorControl()]))
    report.close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
