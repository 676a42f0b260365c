"""Measures how much a run has written, so that the run is ended before it fills the disk.

It counts the files of every kind in a run's folders, in blocks on the disk, while the run writes there. The kernel
limits the size of one file; it has no limit for all files of a process together.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.environment.untrusted_files import FOLDER, MIB

# st_blocks counts blocks of 512 bytes on every file system: https://man7.org/linux/man-pages/man3/stat.3type.html
_BLOCK = 512
_LEAST_PAUSE, _PAUSE_SHARE = 10.0, 50
"""Seconds between two counts where the disk says that little was written; a long count is made less often."""
_RESERVE = 256 * MIB
"""Bytes left on the disk below which a run is ended, or a fiftieth of a small disk."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes on the disk, and files and folders."""

    size: int = 0
    entries: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.size + other.size, self.entries + other.entries)

    def __sub__(self, other: Usage) -> Usage:
        return Usage(self.size - other.size, self.entries - other.entries)


class DiskWatch:
    """Watches what is added to some folders from now on; `limit` is what may be added at most."""

    def __init__(self, folders: Sequence[Path], limit: Usage) -> None:
        self._folders, self._limit = tuple(folders), limit
        self._at_first = self._count()
        self._added, self._last, self._pause = Usage(), time.monotonic(), _LEAST_PAUSE
        self._disks = [_Disk(folder) for folder in self._folders]

    def glance(self) -> str:
        """Say which limit is exceeded, or nothing. It may be called often: it counts only if the disk has filled up.

        Until the disk has filled by half of the run's remaining share, the run cannot have used that share up.
        """
        for disk in self._disks:
            if disk.is_full():
                return "it filled the disk"
        budget = self._limit - self._added
        if time.monotonic() < self._last + self._pause and not any(disk.took(budget) for disk in self._disks):
            return ""
        return self.count()

    def count(self) -> str:
        """Count now, and say which limit is exceeded, or nothing."""
        start = time.monotonic()
        self._added = self._count() - self._at_first
        self._last = time.monotonic()
        self._pause = max(_LEAST_PAUSE, _PAUSE_SHARE * (self._last - start))
        for disk in self._disks:
            disk.remember()
        if self._added.size > self._limit.size:
            return f"it wrote more than {self._limit.size / MIB:,.0f} MiB"
        if self._added.entries > self._limit.entries:
            return f"it made more than {self._limit.entries:,} files and folders"
        return ""

    def _count(self) -> Usage:
        return sum(map(usage, self._folders), Usage())


class _Disk:
    """What the file system of a folder says of itself, which costs one call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._had_room = not self._below_reserve()
        self.remember()

    def remember(self) -> None:
        """Compare with this moment from now on."""
        self._then = self._used()

    def took(self, budget: Usage) -> bool:
        """Whether any process has since filled half of the run's remaining share."""
        since = self._used() - self._then
        return since.size * 2 > budget.size or since.entries * 2 > budget.entries

    def is_full(self) -> bool:
        """Whether the reserve is used now and was not at first."""
        return self._had_room and self._below_reserve()

    def _used(self) -> Usage:
        status = os.statvfs(self._folder)
        return Usage((status.f_blocks - status.f_bfree) * status.f_frsize, status.f_files - status.f_ffree)

    def _below_reserve(self) -> bool:
        status = os.statvfs(self._folder)
        # f_bavail leaves out the blocks that are reserved for root, f_bfree does not.
        return status.f_bavail * status.f_frsize < min(_RESERVE, status.f_blocks * status.f_frsize // 50)


def usage(folder: Path) -> Usage:
    """Count the entries below a folder. One that is removed or moved during the count may be missing from it."""
    size = entries = 0
    for status in _statuses(folder):
        size, entries = size + status.st_blocks * _BLOCK, entries + 1
    return Usage(size, entries)


def _statuses(folder: Path) -> Iterator[os.stat_result]:
    """Yield the status of all below a folder. One descriptor is open at a time: there may be any depth."""
    try:
        current = os.open(folder, FOLDER)
    except OSError:
        return
    parents: list[tuple[tuple[int, int], list[str]]] = []
    identities: set[tuple[int, int]] = set()
    try:
        folders = yield from _list_entries(current, identities)
        while True:
            if folders:
                name, identity = folders.pop(), _identity(os.fstat(current))
                with contextlib.suppress(OSError):
                    current = _change_folder(current, name)
                    parents.append((identity, folders))
                    folders = yield from _list_entries(current, identities)
            elif parents:
                parent, folders = parents.pop()
                current = _change_folder(current, "..")
                if _identity(os.fstat(current)) != parent:
                    return  # the folder was moved while we were in it
            else:
                return
    except OSError:
        return
    finally:
        os.close(current)


def _list_entries(folder: int, identities: set[tuple[int, int]]) -> Generator[os.stat_result, None, list[str]]:
    """Yield the status of a folder's entries, and return the names of its subfolders. A file counts once."""
    folders = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    folders.append(entry.name)
                # Hard links are several names of one file, which takes its blocks once.
                elif status.st_nlink > 1:
                    if _identity(status) in identities:
                        continue
                    identities.add(_identity(status))
                yield status
    return folders


def _change_folder(current: int, name: str) -> int:
    next_folder = os.open(name, FOLDER, dir_fd=current)
    os.close(current)
    return next_folder


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
