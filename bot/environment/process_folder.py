"""Gives a process that runs for long one folder for all its temporary files. The next start removes what is left of it.

A process that is killed removes nothing. Its folder is locked as long as it lives, so the next one knows which folders
nobody uses any more.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.environment.temporary_folders import remove_tree, set_process_folder, usual_parent
from bot.environment.untrusted_files import FOLDER

log = logging.getLogger(__name__)

_PREFIX = "backport-bot-"
_lock = threading.Lock()
_users = 0
_stack = contextlib.ExitStack()


@contextmanager
def process_folder() -> Iterator[None]:
    """Let every temporary folder of this process be in one folder, and remove those of processes that were killed.

    Blocks may overlap, in any thread: the folder goes with the last of them.
    """
    global _users  # noqa: PLW0603 - there is one such folder in a process
    with _lock:
        if not _users:
            _stack.enter_context(_folder())
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                _stack.close()


@contextmanager
def _folder() -> Iterator[None]:
    parent = Path(usual_parent() or tempfile.gettempdir())
    _remove_abandoned(parent)
    folder, descriptor = _make(parent)
    set_process_folder(folder)
    try:
        yield
    finally:
        set_process_folder(None)
        _remove(folder)
        os.close(descriptor)


def _make(parent: Path) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(folder, FOLDER)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if folder.exists():  # another process may have removed it before it was locked
                return folder, descriptor
            os.close(descriptor)


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            descriptor = os.open(folder, FOLDER)
        except OSError:
            continue  # it is of another account, or gone
        try:
            if os.fstat(descriptor).st_uid == os.geteuid():
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(folder)
        except BlockingIOError:
            pass  # its process lives
        finally:
            os.close(descriptor)


def _remove(folder: Path) -> None:
    try:
        remove_tree(folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        log.warning("The temporary folder %s could not be removed: %s. Remove it by hand.", folder, error)
