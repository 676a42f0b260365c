"""Keeps compiled kernels of base runs, and decides which later runs may load them.

A kernel is a shared object: a process that loads it runs its code. The kernels of a base run are therefore kept only
for proofs on the same commit, whose own code can do as much. No proof of another branch loads them, and kernels of a
candidate run are not kept.

Triton writes absolute paths into its cache, so a base run writes where its kernels are kept, and they are looked
through before and after: anything but plain files within the bounds, and all kernels of the commit go.
"""

from __future__ import annotations

import contextlib
import logging
import stat
import time
from pathlib import Path

from bot.environment.temporary_folders import remove_tree
from bot.environment.untrusted_files import Bounds, copy_tree, list_entries

log = logging.getLogger(__name__)

BOUNDS = Bounds()
_KEPT_SECONDS = 30 * 24 * 3600.0


def lend_kernels(folder: Path, to: Path) -> None:
    """Copy compiled kernels into the folder of a run that is not to change them. What cannot be copied is compiled."""
    with contextlib.suppress(OSError):
        copy_tree(folder, to, BOUNDS)


def look_through(*folders: Path) -> None:
    """Leave kernels as they are if they are plain files within the bounds, and else an empty folder, if that can be."""
    for folder in folders:
        reason = _foreign(folder)
        if reason:
            log.warning("The compiled kernels in %s were removed: %s.", folder, reason)
            _remove(folder)
            with contextlib.suppress(OSError):  # then they are kept nowhere
                folder.mkdir(parents=True, exist_ok=True)


def _foreign(folder: Path) -> str:
    """Return the problem with kept kernels, or an empty text."""
    try:
        entries = list(list_entries(folder, BOUNDS))
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:  # there are too many, or the folder itself is a link
        return str(error)
    if not all(entry.is_plain for entry in entries):
        return "not all of them are plain files"
    return "they are too large" if sum(entry.status.st_size for entry in entries) > BOUNDS.size else ""


def drop_old_kernels(root: Path) -> None:
    """Remove what was compiled more than 30 days ago, and what is neither a file nor a folder.

    What an earlier version kept for all branches goes in time as well; it is not read any more.
    """
    limit = time.time() - _KEPT_SECONDS
    with contextlib.suppress(OSError):
        root.mkdir(parents=True, exist_ok=True)
        for entry in root.iterdir():
            status = entry.lstat()
            plain = stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)
            if not plain or status.st_mtime < limit:
                _remove(entry)


def _remove(entry: Path) -> None:
    try:
        if entry.is_symlink() or not entry.is_dir():
            entry.unlink()
        else:
            remove_tree(entry)
    except OSError as error:
        log.warning("%s could not be removed: %s. Remove it by hand.", entry, error)
