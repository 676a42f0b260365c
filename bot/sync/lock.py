"""One sync at a time for one folder of data: a schedule that overlaps its last run must not open things twice."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.environment.data_folder import private_directory, private_file
from bot.errors import BackportError


@contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Hold the lock of a folder, which is created if it does not exist. The lock ends with the process.

    Raises:
        BackportError: another process holds it, or the folder cannot be used.
    """
    private_directory(directory)
    with private_file(directory / "sync.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise BackportError(
                f"Another sync is at work in {directory} ({file.read().strip()}), so this one did nothing.",
                hint="You need to do nothing: the next scheduled run continues.",
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        yield
