"""Temporary folders for somebody's code, and their removal whatever that code left in them.

`shutil.rmtree` and `tempfile.TemporaryDirectory` recurse, so that 3000 nested folders end them with an error. Here a
folder is emptied level by level: its subfolders are moved up first, so that no path grows long and nothing recurses.
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
"""Seconds: something that outlived its run may go on writing for ever."""
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)
"""What renaming a folder says of a name that is in use."""


@contextmanager
def scratch_folder(prefix: str) -> Iterator[Path]:
    """Make a temporary folder and remove it afterwards; one that cannot be removed is logged and left."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield folder
    finally:
        try:
            remove_tree(folder)
        except OSError as error:
            log.warning("The temporary folder %s could not be removed: %s. Remove it by hand.", folder, error)


def remove_tree(folder: Path) -> None:
    """Remove a folder and all below it, of any depth; a link is removed and not followed.

    Raises OSError where something cannot be removed; what is beside it is removed all the same.
    """
    with _opened(os.fspath(folder), None) as root:
        _empty(root)
    folder.rmdir()


def _empty(root: int) -> None:
    numbers, deadline = itertools.count(), time.monotonic() + _LONGEST
    while True:
        removed, failure = 0, None
        for entry in _listed(root):
            try:
                if entry.is_dir(follow_symlinks=False):
                    _dissolve(entry.name, root, numbers)
                else:
                    os.unlink(entry.name, dir_fd=root)
                removed += 1
            except FileNotFoundError:
                pass
            except OSError as error:
                failure = error
        if failure is not None and not removed:
            raise failure
        if not removed:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"new files kept appearing for {_LONGEST:g} s")


def _dissolve(name: str, root: int, numbers: Iterator[int]) -> None:
    """Move the subfolders of a folder beside it, remove its files, and remove it."""
    with _opened(name, root) as folder:
        for entry in _listed(folder):
            if entry.is_dir(follow_symlinks=False):
                with _opened(entry.name, folder):
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
            if error.errno not in _TAKEN:
                raise


@contextmanager
def _opened(name: str, folder: int | None) -> Iterator[int]:
    """Open a folder, also one whose permissions keep its owner out."""
    try:
        descriptor = os.open(name, FOLDER, dir_fd=folder)
    except PermissionError:
        _let_in(name, folder)
        descriptor = os.open(name, FOLDER, dir_fd=folder)
    try:
        _make_writable(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)


def _let_in(name: str, folder: int | None) -> None:
    # chmod follows links; the descriptor of what was opened does not, whatever has the name by now.
    pointer = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        Path(f"/proc/self/fd/{pointer}").chmod(stat.S_IRWXU)
    finally:
        os.close(pointer)


def _make_writable(folder: int) -> None:
    if os.fstat(folder).st_mode & stat.S_IRWXU != stat.S_IRWXU:
        os.fchmod(folder, stat.S_IRWXU)


def _listed(folder: int) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as listed:
        yield from listed
