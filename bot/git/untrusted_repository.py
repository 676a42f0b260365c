"""Reads the objects and refs of a repository that others set up, without reading its configuration.

A clone's configuration can name programs that git runs: merge drivers, an `uploadpack` for missing objects, hooks. So
the bot never starts a git process on such a clone. Its refs are copied, as text, into a bare repository of our own,
which finds the objects through `objects/info/alternates` (https://git-scm.com/docs/gitrepository-layout).
"""

from __future__ import annotations

import logging
import os
import re
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from git import InvalidGitRepositoryError
from git.repo.fun import find_submodule_git_dir, find_worktree_git_dir, is_git_dir

from bot.errors import GitError
from bot.git.connection import PROJECT_REMOTES
from bot.git.environment import require_git
from bot.git.open import create_repo
from bot.git.repository import Repository

log = logging.getLogger(__name__)

_NAMESPACES = ("refs/heads/", *(f"refs/remotes/{remote}/" for remote in PROJECT_REMOTES))
# A loose ref is one line; 100,000 packed branches are 8 MB; a shallow file has a line for each commit at the boundary.
_LARGEST_REF = 4096
_LARGEST_LIST = 256 * 1024 * 1024
_OBJECT_FOLDERS = ("info", "info/commit-graphs", "pack", "pack/multi-pack-index.d")
_CLONE_AGAIN = "Clone it again from its server."
_LARGEST_ALTERNATES = 64 * 1024
_DEEPEST_ALTERNATE = 5  # https://github.com/git/git/blob/master/object-file.c: "too deep alternate object stores"
_SHA256 = re.compile(r"[0-9a-f]{64}\b")


@contextmanager
def open_clone(directory: Path) -> Iterator[Repository]:
    """Yield the objects and branches of a clone as a repository of our own, which is gone afterwards.

    `directory` is a checkout, a linked worktree, a submodule or a bare repository; it is not written to. Its
    configuration, hooks, grafts, replaced objects and `info/attributes` have no effect. Objects that a partial clone
    left with its remote are missing here.

    Raises:
        GitError: there is no repository, its format is one that cannot be read, or a file in it would stall git or
            fill the memory.
    """
    git_dir, common = find_git_dir(directory)
    if (common / "reftable").exists():
        raise GitError(
            f"The refs of {directory} are kept as a reftable, which is not read; nothing was looked at.",
            hint="Run `git refs migrate --ref-format=files` there, or clone it again with `--ref-format=files`.",
        )
    if any((common / "objects" / "pack").glob("*.promisor")):
        log.warning(
            "%s is a partial clone: the objects that only its remote has are missing here. Clone it whole.", directory
        )
    with tempfile.TemporaryDirectory(prefix="backport-clone-", ignore_cleanup_errors=True) as scratch:
        git = create_repo(Path(scratch)).git
        _check_objects(common / "objects")
        _borrow_objects(common / "objects", git.directory)
        _copy_refs(git_dir, common, git.directory)
        with Repository.open(git.directory) as repository:
            yield repository


def refuse_shallow(repository: Repository, consequence: str) -> None:
    """Raise GitError for a clone whose history is cut off; `consequence` is what that leaves unknown."""
    if repository.git.text("rev-parse", "--is-shallow-repository") == "true":
        raise GitError(
            f"The clone is shallow: its history is cut off, so {consequence}.",
            hint="Run `git fetch --unshallow` there, or clone it whole (`--depth` also leaves out the other branches).",
        )


def head_commit(directory: Path) -> str:
    """Return the commit that a checkout is at, or nothing for a tree that is no readable checkout."""
    if not (directory / ".git").exists():
        return ""
    try:
        with open_clone(directory) as repository:
            return repository.resolve("HEAD") or ""
    except GitError:
        return ""


def find_git_dir(directory: Path) -> tuple[Path, Path]:
    """Return the git directory of a checkout (for its HEAD) and the one that linked worktrees share."""
    require_git()
    pointer_file = directory / ".git"
    try:
        _check_pointer(pointer_file)
        for git_dir in (pointer_file, directory / (find_worktree_git_dir(pointer_file) or ""), directory):
            _check_pointer(git_dir / "HEAD")
            _check_pointer(git_dir / "commondir")
        git_path = find_submodule_git_dir(pointer_file) or (directory if is_git_dir(directory) else None)
    except (InvalidGitRepositoryError, OSError, ValueError):
        git_path = None
    if git_path is None:
        raise GitError(f"There is no git repository at {directory}.", hint="Give a checkout or a git directory.")
    git_dir = Path(git_path).resolve()
    pointer = _read_text(git_dir / "commondir", _LARGEST_REF)
    return git_dir, (git_dir / pointer.strip()).resolve() if pointer.strip() else git_dir


def _check_pointer(path: Path) -> None:
    """Raise ValueError for a pipe, a device or a huge file, which GitPython would read without an end."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    if not stat.S_ISDIR(status.st_mode) and (not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_REF):
        raise ValueError(f"{path} is no short file")


def _check_objects(objects: Path, depth: int = 0) -> None:
    """Raise GitError for a file among the objects at which git would wait or read without an end.

    Alternates are followed as far as git follows them.
    """
    if depth > _DEEPEST_ALTERNATE:
        return
    for path in _object_files(objects):
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise GitError(f"{path} is a pipe or a device; nothing was looked at.", hint=_CLONE_AGAIN)
    source = objects / "info" / "alternates"
    text = _read_text(source, _LARGEST_ALTERNATES)
    # git reads a list of any size, and takes a quoted line apart.
    if text.startswith('"') or '\n"' in text or (not text and source.exists() and source.stat().st_size):
        raise GitError(f"{source} is large or quoted, which is not read; nothing was looked at.", hint=_CLONE_AGAIN)
    for line in filter(None, text.split("\n")):
        _check_objects(objects / line, depth + 1)


def _object_files(objects: Path) -> Iterator[Path]:
    for folder in (*_OBJECT_FOLDERS, *(f"{number:02x}" for number in range(256))):
        try:
            with os.scandir(objects / folder) as entries:
                yield from map(Path, entries)
        except (OSError, ValueError):  # there is none, or a line of alternates is no path
            continue


def _borrow_objects(objects: Path, ours: Path) -> None:
    alternates = ours / "objects" / "info" / "alternates"
    alternates.parent.mkdir(parents=True, exist_ok=True)
    alternates.write_bytes(os.fsencode(_quote(str(objects.resolve()))) + b"\n")


def _quote(path: str) -> str:
    # One path a line, in git's C style where that would end the line early.
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"' if "\n" in path else path


def _copy_refs(git_dir: Path, common: Path, ours: Path) -> None:
    head = git_dir / "HEAD"
    # In its oldest form HEAD is a symbolic link to the branch's file.
    _write_ref(ours / "HEAD", f"ref: {head.readlink()}\n" if head.is_symlink() else _read_text(head, _LARGEST_REF))
    for namespace in _NAMESPACES:
        for path in _files(common / namespace):
            _write_ref(ours / path.relative_to(common), _read_text(path, _LARGEST_REF))
    lines = _read_text(common / "packed-refs", _LARGEST_LIST).split("\n")
    _write_ref(ours / "packed-refs", "\n".join(_packed_branches(lines)))
    shallow = _read_text(common / "shallow", _LARGEST_LIST)
    if shallow:
        _write_ref(ours / "shallow", shallow)


def _files(directory: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(directory):
        yield from (Path(parent, name) for name in names if not name.endswith(".lock"))


def _packed_branches(lines: Iterable[str]) -> Iterator[str]:
    """Yield the header and the branches of a packed-refs file; a line `^…` belongs to the ref before it."""
    is_branch = True
    for line in lines:
        if not line.startswith("^"):
            is_branch = not line or line.startswith("#") or line.partition(" ")[2].startswith(_NAMESPACES)
        if is_branch:
            yield line


def _read_text(path: Path, limit: int) -> str:
    """Return the text of a regular file; nothing if it is missing, too large, a pipe or a device."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return ""
    with os.fdopen(file, "rb") as stream:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
            return ""
        return stream.read(limit).decode(errors="surrogateescape")


def _write_ref(path: Path, text: str) -> None:
    if _SHA256.match(text):
        raise GitError(
            "The repository names its objects by SHA-256, which is not read; nothing was looked at.",
            hint="Clone it from a server that serves it with SHA-1 names.",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(errors="surrogateescape"))
