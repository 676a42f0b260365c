"""Runs pytest as a program of its own, for suites whose imports take most of the time. Any interpreter runs its text.

It disables the garbage collector during imports, where it finds nothing and takes a fifth of the time, and freezes
the result, so that forks do not copy it. It exits without a teardown, which with torch takes up to a second.

If there is a file `seal` beside the report, its content is a secret. The program reads and removes it before anything
else runs, keeps the report in memory that no other process reaches, and at the end writes the report and its HMAC.
"""

from __future__ import annotations

import ctypes
import gc
import hashlib
import hmac
import mmap
import os
import sys
from pathlib import Path

REPORT = "--junitxml="
_SET_DUMPABLE = 4
"""https://man7.org/linux/man-pages/man2/prctl.2.html: without it, no ptrace and no /proc/PID/mem, environ or fd."""


class CollectorControl:
    """Enables the garbage collector after the imports."""

    def pytest_collection_finish(self) -> None:
        """Begin."""
        gc.freeze()
        gc.enable()


class SealedReport:
    """The report of a run that has a secret. Without one, pytest writes the report itself."""

    def __init__(self, arguments: list[str]) -> None:
        """Take the secret, and direct the report to memory that only this process can write."""
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
        """Write the report and its HMAC; nothing if pytest ended before it had anything to report."""
        file = self._report if self._memory < 0 else Path(f"/proc/self/fd/{self._memory}")
        content = file.read_bytes() if self._secret and file.exists() else b""
        if content:
            self._report.write_bytes(content)
            seal = hmac.new(self._secret[:], content, hashlib.sha256).hexdigest()
            self._report.with_name(f"{self._report.name}.seal").write_text(seal, encoding="ascii")


def _take_secret(file: Path) -> bytes | mmap.mmap:
    """Read a file into memory that is not copied to a process which is forked from this one, and remove the file."""
    try:
        with file.open("rb", buffering=0) as handle:
            content = mmap.mmap(-1, os.fstat(handle.fileno()).st_size)
            if hasattr(mmap, "MADV_DONTFORK"):
                content.madvise(mmap.MADV_DONTFORK)
            handle.readinto(content)
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
