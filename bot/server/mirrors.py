"""The mirrors of all repositories in the data folder: who uses one, what repairs one, and how much room they take.

Each repository has a folder, named by GitHub's number, with its mirror and the caches beside it. Whoever opens a mirror
shares a lock beside it, which the system gives up when the process ends in whatever way; who removes one has it alone.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.environment.data_folder import FOLDER_MODE, private_file
from bot.errors import BackportError, GitError
from bot.git.connection import Connection
from bot.git.mirror_upkeep import is_damaged, maintain, remove_stale_locks
from bot.git.open import open_repo
from bot.git.process import Git
from bot.git.repository import Repository

log = logging.getLogger(__name__)

DEFAULT_LIMIT = 50 * 1024**3
"""Bytes that all mirrors may take together."""
FOLDER = "repositories"
MIRROR = "mirror.git"
_CACHES = ("backports.json", "resolutions.sqlite")
_USE = "mirror.lock"
_MAINTAINED = "maintained"
_SECONDS_BETWEEN_LOOKS = 3600.0
_SECONDS_BETWEEN_MAINTENANCE = 24 * 3600.0
_SECONDS_BETWEEN_CHECKS = 600.0
"""A mirror that is whole is not looked through again for so long."""


@dataclass(slots=True)
class Mirrors:
    """The mirrors below a data folder. `limit` is how many bytes they may take together. Threads may share it."""

    data: Path
    limit: int = DEFAULT_LIMIT
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _checked_at: dict[int, float] = field(default_factory=dict, init=False)

    def folder(self, number: int) -> Path:
        """Return the folder of a repository."""
        return self.data / FOLDER / str(number)

    @contextmanager
    def using(self, number: int, *, url: str = "") -> Iterator[Path]:
        """Yield the folder of a repository, whose mirror nobody removes while the block runs.

        Locks that a killed git left in it are removed first. `url` is the address of the repository: what a service for
        one repository kept of it in the data folder itself is taken over.
        """
        folder = self.folder(number)
        _make(folder)
        with private_file(folder / _USE).open("a") as file:
            is_alone = _try(file.fileno(), fcntl.LOCK_EX)
            if is_alone:
                self._take_over(folder, url)
                remove_stale_locks(folder / MIRROR, in_use=False)
            fcntl.flock(file, fcntl.LOCK_SH)
            os.utime(folder / _USE)
            yield folder

    def _take_over(self, folder: Path, url: str) -> None:
        mirror = self.data / MIRROR
        if not url or not mirror.exists() or (folder / MIRROR).exists():
            return
        if Git(mirror.resolve()).attempt("config", "--get", "remote.origin.url").stdout.decode().strip() == url:
            for path in (self.data / name for name in (MIRROR, *_CACHES)):
                if path.exists():
                    path.rename(folder / path.name)

    def repair(self, number: int) -> bool:
        """Look at a mirror after git failed in it: remove stale locks, and the whole mirror if objects are missing.

        It is then cloned anew by whoever opens it next. Those that use it at this moment fail, and try again. Return
        whether something was removed.
        """
        mirror = self.folder(number) / MIRROR
        with self._lock:
            if not mirror.exists() or remove_stale_locks(mirror, in_use=True):
                return True
            if time.monotonic() - self._checked_at.get(number, -_SECONDS_BETWEEN_CHECKS) < _SECONDS_BETWEEN_CHECKS:
                return False
            if is_damaged(mirror):
                log.warning("The mirror of repository %s is damaged: it is removed, and cloned anew.", number)
                _remove(mirror)
                return True
            self._checked_at[number] = time.monotonic()
            return False

    def evict(self) -> list[int]:
        """Remove the mirrors that were used longest ago until the rest is within the limit, and none that is in use.

        Return GitHub's numbers of their repositories.
        """
        folders = [path.parent for path in self.data.glob(f"{FOLDER}/*/{_USE}")]
        sizes = {folder: folder_size(folder / MIRROR) for folder in folders}
        total, evicted = sum(sizes.values()), []
        for folder in sorted(folders, key=lambda folder: (folder / _USE).stat().st_mtime):
            if total <= self.limit:
                break
            with (folder / _USE).open("a") as file:
                if sizes[folder] and _try(file.fileno(), fcntl.LOCK_EX):
                    log.info("The mirror of repository %s is removed: there is no room for it.", folder.name)
                    _remove(folder / MIRROR)
                    total -= sizes[folder]
                    evicted.append(int(folder.name))
        return evicted

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Do what is due, at once and every hour, in a thread of its own, until the block ends."""
        ended = threading.Event()

        def work() -> None:
            while not ended.is_set():
                try:
                    self.keep()
                except (OSError, BackportError):
                    log.exception("The mirrors were not looked after.")
                ended.wait(_SECONDS_BETWEEN_LOOKS)

        threading.Thread(target=work, name="backport-mirrors", daemon=True).start()
        try:
            yield
        finally:
            ended.set()

    def keep(self) -> None:
        """Do what is due: see `evict`, and `bot.git.mirror_upkeep.maintain` for each mirror once a day.

        If another process is at it, nothing is done.
        """
        _make(self.data / FOLDER)
        with private_file(self.data / FOLDER / "upkeep.lock").open("a") as file:
            if _try(file.fileno(), fcntl.LOCK_EX):
                self.evict()
                for path in sorted(self.data.glob(f"{FOLDER}/*/{MIRROR}")):
                    self._maintain(path)

    def _maintain(self, mirror: Path) -> None:
        stamp = mirror.parent / _MAINTAINED
        if stamp.exists() and time.time() - stamp.stat().st_mtime < _SECONDS_BETWEEN_MAINTENANCE:
            return
        with self.using(int(mirror.parent.name)):
            try:
                with Repository(open_repo(mirror), Connection()) as repository:
                    maintain(repository)
            except GitError as error:
                log.warning("The mirror of repository %s was not packed: %s", mirror.parent.name, error)
        private_file(stamp)
        os.utime(stamp)

    def total_bytes(self) -> int:
        """Return how much room all mirrors take."""
        return sum(folder_size(path) for path in self.data.glob(f"{FOLDER}/*/{MIRROR}"))


def _make(folder: Path) -> None:
    """Make a folder that only its owner may read. What is in it is left: it may be many mirrors."""
    folder.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)


def _try(descriptor: int, mode: int) -> bool:
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove(mirror: Path) -> None:
    """Remove a mirror. Under its own name there is at no time a part of one."""
    trash = mirror.with_name(f"{mirror.name}.{time.time_ns()}")
    if mirror.exists():
        mirror.rename(trash)
    for leftover in mirror.parent.glob(f"{mirror.name}.[0-9]*"):
        shutil.rmtree(leftover, ignore_errors=True)


def folder_size(folder: Path) -> int:
    """Return the size of all files below a folder."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(parent, name).lstat().st_size
            except FileNotFoundError:
                continue  # git removes its own temporary files
    return total
