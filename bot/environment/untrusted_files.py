"""Reads and copies files from a folder to which untrusted code may write, even at the same time.

Only plain files are read. A file is opened relative to its folder's descriptor without following links, and checked
after it was opened (fstat), never by its name. Size, number and depth are bounded. Links, devices, sockets and pipes
are left out. So is a file with a second name: it may be a hard link to a file of the bot.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MIB = 1024 * 1024
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""The flags to open a folder that untrusted code may replace by a link at any time."""
# Without O_NONBLOCK, opening a pipe blocks until another process writes to it.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOREIGN = (errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.ENODEV, errno.EACCES, errno.EPERM)
"""The errors of opening a link, a link instead of a folder, a socket, a device or a locked file."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class NotPlain(OSError):
    """The entry is a link, a device, a pipe, or a file with a second name."""


class TooLarge(OSError):
    """The file or folder has more bytes, entries or levels than the caller accepts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The limits of a copy: total bytes, number of files and folders, and levels of folders."""

    size: int = 512 * MIB
    entries: int = 50_000
    depth: int = 32


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a folder: its path below the folder, and `status` as lstat gives it."""

    path: str
    status: os.stat_result

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.status.st_mode)

    @property
    def is_plain(self) -> bool:
        """Whether it is a plain file, which this module reads."""
        return _is_plain(self.status)


def read_file(root: Path, name: str, *, largest: int) -> bytes:
    """Return the bytes of a plain file below a folder. Neither the folder nor a part of `name` may be a link.

    Raises:
        FileNotFoundError: there is no such file.
        NotPlain: it is not a plain file, or a part of its path is a link.
        TooLarge: it has more than `largest` bytes; none was read.
        OSError: it cannot be read.
    """
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or PurePosixPath(name).is_absolute():
        raise NotPlain(f"{name} does not name a file below the folder")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(_open(os.fspath(root), FOLDER))
        for part in parts[:-1]:
            folder = stack.enter_context(_open(part, FOLDER, folder))
        return _content(stack.enter_context(_plain(parts[-1], folder)), largest)


def list_entries(root: Path, bounds: Bounds) -> Iterator[Entry]:
    """Yield the entries below a folder that are not folders. Entries that have vanished meanwhile are left out.

    Raises TooLarge if there are more entries or levels than the bounds allow. The size is not checked here.
    """
    number = 0
    with _open(os.fspath(root), FOLDER) as folder:
        for entry in _walk(folder, "", bounds.depth):
            number += 1
            if number > bounds.entries:
                raise TooLarge(f"there are more than {bounds.entries} files and folders")
            if not stat.S_ISDIR(entry.status.st_mode):
                yield entry


def copy_tree(
    source: Path, target: Path, bounds: Bounds, *, trusted: bool = False, without: frozenset[str] = frozenset()
) -> None:
    """Copy the plain files below a folder into another, which is made if it is missing. No file there is replaced.

    If the source is `trusted`, links are copied as links, wherever they lead, and files with several names are copied,
    too. Entries named in `without` are left out. The target may be untrusted: nothing is written through a link in it.

    Raises:
        TooLarge: the source exceeds the bounds; the files copied until then are complete.
        OSError: a file could not be read or written.
    """
    target.mkdir(parents=True, exist_ok=True)
    flags = FOLDER & ~os.O_NOFOLLOW if trusted else FOLDER
    with _open(os.fspath(source), flags) as origin, _open(os.fspath(target), FOLDER) as destination:
        _Copy(bounds, trusted=trusted, without=without).folder(origin, destination, bounds.depth)


def write_file(folder: Path, name: str, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file into a folder atomically. A link of that name is replaced and not followed.

    The folder is made if it is missing. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _open(os.fspath(folder), FOLDER) as descriptor:
        new = f".{name}.{os.getpid()}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new, dir_fd=descriptor)
        try:
            with os.fdopen(os.open(new, _NEW, mode, dir_fd=descriptor), "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(content)
            os.replace(new, name, src_dir_fd=descriptor, dst_dir_fd=descriptor)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(new, dir_fd=descriptor)
            raise


class _Copy:
    """A copy in progress, with the rest of its bounds."""

    def __init__(self, bounds: Bounds, *, trusted: bool, without: frozenset[str]) -> None:
        self._bounds, self._trusted, self._without = bounds, trusted, without
        self._size, self._entries = bounds.size, bounds.entries

    def folder(self, source: int, target: int, depth: int) -> None:
        if depth < 0:
            raise TooLarge("its folders are nested too deeply")
        for name, status in _entries(source):
            self._entries -= 1
            if self._entries < 0:
                raise TooLarge(f"it has more than {self._bounds.entries} files and folders")
            if name in self._without:
                continue
            with contextlib.suppress(FileNotFoundError, NotPlain, FileExistsError):
                self._copy(name, status, source, target, depth)

    def _copy(self, name: str, status: os.stat_result, source: int, target: int, depth: int) -> None:
        if stat.S_ISDIR(status.st_mode):
            with _open(name, FOLDER, source) as subfolder:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, 0o755, dir_fd=target)
                with _open(name, FOLDER, target) as copy:
                    self.folder(subfolder, copy, depth - 1)
        elif stat.S_ISLNK(status.st_mode) and self._trusted:
            os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        elif stat.S_ISREG(status.st_mode):
            self._file(name, source, target)

    def _file(self, name: str, source: int, target: int) -> None:
        with _plain(name, source, trusted=self._trusted) as file:
            status = os.fstat(file)
            # A copy has no holes, so the length of a sparse file counts and not its blocks on the disk.
            if status.st_size > self._size:
                raise TooLarge(f"it has more than {self._bounds.size} bytes")
            copy = os.open(name, _NEW, 0o600, dir_fd=target)
            try:
                self._content(file, copy)
                os.fchmod(copy, stat.S_IMODE(status.st_mode) & 0o777)
                os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
            except BaseException:
                os.unlink(name, dir_fd=target)
                raise
            finally:
                os.close(copy)

    def _content(self, file: int, copy: int) -> None:
        """Copy a file up to its end, which may move meanwhile."""
        while content := os.read(file, min(MIB, self._size + 1)):
            self._size -= len(content)
            if self._size < 0:
                raise TooLarge(f"it has more than {self._bounds.size} bytes")
            while content:
                content = content[os.write(copy, content) :]


def _walk(folder: int, prefix: str, depth: int) -> Iterator[Entry]:
    if depth < 0:
        raise TooLarge("its folders are nested too deeply")
    for name, status in _entries(folder):
        yield Entry(prefix + name, status)
        if stat.S_ISDIR(status.st_mode):
            with contextlib.suppress(FileNotFoundError, NotPlain), _open(name, FOLDER, folder) as subfolder:
                yield from _walk(subfolder, f"{prefix}{name}/", depth - 1)


def _entries(folder: int) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                yield entry.name, entry.stat(follow_symlinks=False)


@contextmanager
def _open(name: str, flags: int, folder: int | None = None) -> Iterator[int]:
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno not in _FOREIGN:
            raise
        raise NotPlain(f"{name} is not a plain file or folder: {error.strerror}") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _plain(name: str, folder: int, *, trusted: bool = False) -> Iterator[int]:
    with _open(name, _FILE, folder) as file:
        status = os.fstat(file)
        if not _is_plain(status) and not (trusted and stat.S_ISREG(status.st_mode)):
            raise NotPlain(f"{name} is not a plain file with one name")
        yield file


def _is_plain(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_nlink <= 1


def _content(file: int, largest: int) -> bytes:
    """Read a file up to its end, which may move meanwhile."""
    if os.fstat(file).st_size > largest:
        raise TooLarge(f"it has {os.fstat(file).st_size} bytes, of which {largest} are read at most")
    with open(file, "rb", closefd=False) as stream:
        content = stream.read(largest + 1)
    if len(content) > largest:
        raise TooLarge(f"it has more than {largest} bytes")
    return content
