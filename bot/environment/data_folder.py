"""Makes the data folder readable by the bot's account only, as it holds private sources and people's texts.

Folders have the mode 0700, files 0600. git follows that by `core.sharedRepository`. SQLite gives its `-wal` and `-shm`
files the mode of the database.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from bot.errors import ConfigError

log = logging.getLogger(__name__)

FOLDER_MODE, FILE_MODE = 0o700, 0o600
# What the bot makes in the folder, by the beginning of the name. A folder of the user's choice may hold other things.
_OURS = (
    *("mirror.git", "deliveries.sqlite", "history.sqlite", "resolutions.sqlite", "backports.json", "sync.lock"),
    "postgres",
    "repositories",
    "evidence",
)


def private_directory(directory: Path) -> None:
    """Make a data folder if it is missing, and deny other accounts all that the bot keeps in it.

    Raises:
        ConfigError: the path is a file, or the folder cannot be made or written to.
    """
    try:
        directory.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        names = [path.name for path in directory.iterdir()]
    except OSError as error:
        raise _unusable(directory, error.strerror or str(error)) from error
    if not os.access(directory, os.W_OK | os.X_OK):
        raise _unusable(directory, "Permission denied")
    ours = [name for name in names if name.startswith(_OURS)]
    if len(ours) == len(names):
        _restrict(directory)
    for name in ours:
        for path in _everything(directory / name):
            _restrict(path)


def private_file(path: Path) -> Path:
    """Make a file that only its owner may read, if it does not exist yet. Return its path."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, FILE_MODE))
    _restrict(path)
    return path


def _unusable(directory: Path, reason: str) -> ConfigError:
    return ConfigError(
        f"The data folder {directory} cannot be used ({reason}), so nothing was done.",
        hint="Name a folder that this account may write to with --data.",
    )


def _everything(path: Path) -> Iterator[Path]:
    yield path
    if path.is_dir() and not path.is_symlink():
        for parent, folders, files in os.walk(path):
            yield from (Path(parent, name) for name in (*folders, *files))


def _restrict(path: Path) -> None:
    """Remove the rights of group and others from a file or folder. A link has no rights of its own."""
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & 0o077:
            path.chmod(stat.S_IMODE(mode) & 0o7700)
    except FileNotFoundError:
        pass  # git and SQLite remove their own temporary files
    except OSError as error:
        log.warning("Other accounts may read %s: its mode cannot be changed (%s).", path, error.strerror)
