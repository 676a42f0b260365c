"""Failures of the machine in the words of an error: fact, consequence, remedy.

Owns which exceptions of Python count as such. What is not named here is a fault of the program and keeps its traceback.
"""

from __future__ import annotations

import errno
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import BackportError, ConfigError

log = logging.getLogger(__name__)

_SERVER = frozenset({"cryptography", "graphql", "jwt", "nh3", "starlette", "uvicorn"})
"""What the modules of the `server` extra import."""
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def explain(error: Exception) -> BackportError | None:
    """Return an exception as an error for people, or None for a fault of the program."""
    if isinstance(error, BackportError):
        return error
    package = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if package in _SERVER:
        return ConfigError(
            f"The package {package} is not installed, so nothing was started.",
            hint="Install the bot with its `server` extra: pip install 'backport-bot[server]'.",
        )
    if isinstance(error, OSError) and (error.filename is not None or error.errno in _NO_ROOM):
        place = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        return BackportError(
            f"{place}{error.strerror}. The command ended there.",
            hint="Check that the path is right, that this account may read and write it, and that its disk has room.",
        )
    return None


@contextmanager
def some_home() -> Iterator[None]:
    """Give an account without a home folder one while the block runs; libraries look for their caches there.

    Containers run programs under user ids that /etc/passwd does not know, and without HOME.
    """
    try:
        Path.home()
    except RuntimeError:
        with tempfile.TemporaryDirectory(prefix="backport-home-") as home:
            os.environ["HOME"] = home
            log.warning("This account has no home folder, so nothing is cached. Set HOME to a folder that it may use.")
            yield
    else:
        yield
