"""Makes temporary folders for untrusted code, and removes them with all that the code left in them.

`shutil.rmtree` and `tempfile.TemporaryDirectory` recurse, so 3000 nested folders make them fail. Here a folder is
emptied level by level: its subfolders are moved up first, so no path gets long and nothing recurses.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import logging
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.environment.untrusted_files import FOLDER

log = logging.getLogger(__name__)

_LONGEST = 300.0
"""Seconds. A process that outlived its run may go on writing forever."""
_NAME_IN_USE = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)
"""The errors of renaming a folder to a name that is in use."""
_process_folder: str | None = None


@contextmanager
def scratch_folder(prefix: str) -> Iterator[Path]:
    """Make a temporary folder and remove it afterwards. If it cannot be removed, a warning is logged and it stays."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=_process_folder or usual_parent()))
    try:
        yield folder
    finally:
        try:
            remove_tree(folder)
        except OSError as error:
            log.warning("The temporary folder %s could not be removed: %s. Remove it by hand.", folder, error)


def set_process_folder(folder: Path | None) -> None:
    """Let all temporary folders and files of this process be in a folder from now on; None: in the usual place."""
    global _process_folder  # noqa: PLW0603 - as Python's own `tempdir`, it belongs to the process
    _process_folder = tempfile.tempdir = str(folder) if folder is not None else None


def usual_parent() -> str | None:
    """Return BACKPORT_BOT_TMP, else RUNNER_TEMP, else None for the system's temporary folder.

    The daemon beside a runner's pod shares the runner's work folder with it, and not /tmp.
    """
    for variable in ("BACKPORT_BOT_TMP", "RUNNER_TEMP"):
        folder = Path(os.environ.get(variable, ""))
        if folder.is_absolute() and os.access(folder, os.W_OK | os.X_OK):
            return str(folder)
    return None


def remove_tree(folder: Path) -> None:
    """Remove a folder and all below it, at any depth. A link is removed and not followed.

    Raises OSError if something cannot be removed; all the rest is removed.
    """
    with _open(os.fspath(folder), None) as root:
        _empty(root)
    folder.rmdir()


def _empty(root: int) -> None:
    numbers, deadline = itertools.count(), time.monotonic() + _LONGEST
    while True:
        progress, failure = False, None
        for entry in _entries(root):
            try:
                if entry.is_dir(follow_symlinks=False):
                    _dissolve(entry.name, root, numbers)
                else:
                    os.unlink(entry.name, dir_fd=root)
                progress = True
            except FileNotFoundError:
                pass
            except OSError as error:
                failure = error
        if failure is not None and not progress:
            raise failure
        if not progress:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"new files kept appearing for {_LONGEST:g} s")


def _dissolve(name: str, root: int, numbers: Iterator[int]) -> None:
    """Move the subfolders of a folder beside it, remove its files, and remove it."""
    with _open(name, root) as folder:
        for entry in _entries(folder):
            if entry.is_dir(follow_symlinks=False):
                with _open(entry.name, folder):
                    _move_up(entry.name, folder, root, numbers)
            else:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(entry.name, dir_fd=folder)
    os.rmdir(name, dir_fd=root)


def _move_up(name: str, folder: int, root: int, numbers: Iterator[int]) -> None:
    for number in numbers:
        try:
            os.rename(name, f".{number}.removed", src_dir_fd=folder, dst_dir_fd=root)
            return
        except OSError as error:
            if error.errno not in _NAME_IN_USE:
                raise


@contextmanager
def _open(name: str, folder: int | None) -> Iterator[int]:
    """Open a folder, even one whose permissions deny its owner access."""
    try:
        descriptor = os.open(name, FOLDER, dir_fd=folder)
    except PermissionError:
        _grant_access(name, folder)
        descriptor = os.open(name, FOLDER, dir_fd=folder)
    try:
        _make_writable(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)


def _grant_access(name: str, folder: int | None) -> None:
    # chmod follows links. The descriptor does not, even if the name has become a link.
    pointer = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        Path(f"/proc/self/fd/{pointer}").chmod(stat.S_IRWXU)
    finally:
        os.close(pointer)


def _make_writable(folder: int) -> None:
    if os.fstat(folder).st_mode & stat.S_IRWXU != stat.S_IRWXU:
        os.fchmod(folder, stat.S_IRWXU)


def _entries(folder: int) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from entries
