"""Reading and copying out of a folder that somebody's code may write to, also while it is read.

Owns the one way by which such files come out: a plain file alone, opened relative to its folder's descriptor without
following a link, judged by what was opened (fstat) and never by its name, and bounded in size, number and depth. Links,
devices, sockets and pipes stay behind, and so does a file with a second name: it may be a hard link to one of ours.
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
"""How a folder is opened that somebody may swap for a link meanwhile."""
# Without O_NONBLOCK, opening a pipe waits until somebody writes to it.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOREIGN = (errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.ENODEV, errno.EACCES, errno.EPERM)
"""What opening a link, a link in place of a folder, a socket, a device or a locked file says."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class NotPlain(OSError):
    """What has this name is a link, a device, a pipe, or a file that has another name as well."""


class TooLarge(OSError):
    """It has more bytes, entries or levels than the caller takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What is taken out of a folder at most: bytes of all files together, files and folders, and levels of folders."""

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
        """Whether it is a file that is read here."""
        return _is_plain(self.status)


def read_file(root: Path, name: str, *, largest: int) -> bytes:
    """Return the bytes of a plain file below a folder. Neither the folder nor a part of `name`, below it, is a link.

    Raises:
        FileNotFoundError: there is none.
        NotPlain: it is something else, or lies behind a link.
        TooLarge: it has more than `largest` bytes, of which none was read.
        OSError: it cannot be read.
    """
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or PurePosixPath(name).is_absolute():
        raise NotPlain(f"{name} does not name a file below the folder")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(_opened(os.fspath(root), FOLDER))
        for part in parts[:-1]:
            folder = stack.enter_context(_opened(part, FOLDER, folder))
        return _content(stack.enter_context(_plain(parts[-1], folder)), largest)


def list_entries(root: Path, bounds: Bounds) -> Iterator[Entry]:
    """Yield what lies below a folder, folders left out; what cannot be opened any more is left out, too.

    Raises TooLarge once there are more entries or levels than the bounds allow; their size is the caller's to judge.
    """
    left = bounds.entries
    with _opened(os.fspath(root), FOLDER) as folder:
        for entry in _walk(folder, "", bounds.depth):
            left -= 1
            if left < 0:
                raise TooLarge(f"there are more than {bounds.entries} files and folders")
            if not stat.S_ISDIR(entry.status.st_mode):
                yield entry


def copy_tree(
    source: Path, target: Path, bounds: Bounds, *, whole: bool = False, without: frozenset[str] = frozenset()
) -> None:
    """Copy the plain files below a folder into another, which is made where it is missing; nothing there is replaced.

    `whole` is for sources that a person has at hand: links are copied as links, without a look at where they lead, and
    files that have other names, too. Entries named in `without` are left out. The target may be somebody's as well:
    nothing is written through a link in it.

    Raises:
        TooLarge: the bounds do not allow the whole; what was copied until then is whole files.
        OSError: a file could not be read or written.
    """
    target.mkdir(parents=True, exist_ok=True)
    flags = FOLDER & ~os.O_NOFOLLOW if whole else FOLDER
    with _opened(os.fspath(source), flags) as there, _opened(os.fspath(target), FOLDER) as here:
        _Copy(bounds, whole=whole, without=without).folder(there, here, bounds.depth)


def write_file(folder: Path, name: str, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file into a folder, whole or not at all; a link that has its name is replaced and not followed.

    The folder is made where it is missing. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _opened(os.fspath(folder), FOLDER) as there:
        new = f".{name}.{os.getpid()}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new, dir_fd=there)
        try:
            with os.fdopen(os.open(new, _NEW, mode, dir_fd=there), "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(content)
            os.replace(new, name, src_dir_fd=there, dst_dir_fd=there)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(new, dir_fd=there)
            raise


class _Copy:
    """One copy with what is left of its bounds."""

    def __init__(self, bounds: Bounds, *, whole: bool, without: frozenset[str]) -> None:
        self._bounds, self._whole, self._without = bounds, whole, without
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
            with _opened(name, FOLDER, source) as there:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, 0o755, dir_fd=target)
                with _opened(name, FOLDER, target) as here:
                    self.folder(there, here, depth - 1)
        elif stat.S_ISLNK(status.st_mode) and self._whole:
            os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        elif stat.S_ISREG(status.st_mode):
            self._file(name, source, target)

    def _file(self, name: str, source: int, target: int) -> None:
        with _plain(name, source, whole=self._whole) as file:
            status = os.fstat(file)
            # A hole in a sparse file is written out, so the length counts and not the blocks on the disk.
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
        """Copy to the end of a file, which may grow meanwhile."""
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
            with contextlib.suppress(FileNotFoundError, NotPlain), _opened(name, FOLDER, folder) as below:
                yield from _walk(below, f"{prefix}{name}/", depth - 1)


def _entries(folder: int) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as listed:
        for entry in listed:
            with contextlib.suppress(FileNotFoundError):
                yield entry.name, entry.stat(follow_symlinks=False)


@contextmanager
def _opened(name: str, flags: int, folder: int | None = None) -> Iterator[int]:
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno not in _FOREIGN:
            raise
        raise NotPlain(f"{name} is no plain file or folder: {error.strerror}") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _plain(name: str, folder: int, *, whole: bool = False) -> Iterator[int]:
    with _opened(name, _FILE, folder) as file:
        status = os.fstat(file)
        if not _is_plain(status) and not (whole and stat.S_ISREG(status.st_mode)):
            raise NotPlain(f"{name} is not a plain file with one name")
        yield file


def _is_plain(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_nlink <= 1


def _content(file: int, largest: int) -> bytes:
    """Read a file to its end; it may grow meanwhile."""
    if os.fstat(file).st_size > largest:
        raise TooLarge(f"it has {os.fstat(file).st_size} bytes, of which {largest} are read at most")
    with open(file, "rb", closefd=False) as stream:
        content = stream.read(largest + 1)
    if len(content) > largest:
        raise TooLarge(f"it has more than {largest} bytes")
    return content
