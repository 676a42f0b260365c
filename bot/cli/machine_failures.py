"""Words failures of the machine as errors: fact, consequence, remedy.

It decides which exceptions of Python are failures of the machine. Any other exception is a bug and keeps its traceback.
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

_SERVER = frozenset(
    {
        "cryptography",
        "graphql",
        "jwt",
        "nh3",
        "procrastinate",
        "prometheus_client",
        "psycopg",
        "psycopg_pool",
        "starlette",
        "structlog",
        "uvicorn",
    }
)
"""The packages of the `server` extra."""
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def explain(error: Exception) -> BackportError | None:
    """Return an exception as an error for people, or None if it is a bug."""
    if isinstance(error, BackportError):
        return error
    # A module of ours that is missing is a bug, one of an extra that was not installed is not.
    package = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if package in _SERVER:
        return ConfigError(
            f"The package {package} is not installed, so nothing was started.",
            hint="Install the bot with its `server` extra: pip install 'backport-bot[server]'.",
        )
    if isinstance(error, OSError) and (error.filename is not None or error.errno in _DISK_FULL):
        place = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        return BackportError(
            f"{place}{error.strerror}. The command ended there.",
            hint="Check that the path is right, that this account may read and write it, and that its disk has room.",
        )
    return None


@contextmanager
def some_home() -> Iterator[None]:
    """Give an account without a home folder a temporary one while the block runs. Libraries put their caches there.

    Containers run programs under user ids that are not in /etc/passwd, and without HOME.
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
