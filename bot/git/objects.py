"""Objects of a repository: read through one long-lived process, written without a worktree or an index.

Everything is asked for by object name, or by object name and path; names of refs mean nothing here. GitPython's
`get_object_data` reads one object at a time (21 µs each, in batches of ours 13), and takes no path that is not UTF-8.
Reading its commits takes as long, and what their stated encoding cannot decode is lost. gitdb writes a new object as
fast as `ObjectWriter`; for one that is there it takes 54 µs in place of 8, and it creates folders that others may read.
`tests/bench/bench_gitpython.py` measures all of this.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import subprocess
import threading
import weakref
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bot.errors import GitError
from bot.git.process import Git
from bot.models import Commit, Sha, Signature

EMPTY_TREE = Sha("4b825dc642cb6eb9a060e54bf8d69288fbee4904")
_ENTRY = re.compile(rb"(\d+) ([^\0]+)\0(.{20})", re.DOTALL)
REGULAR, EXECUTABLE, SYMLINK, SUBMODULE, DIRECTORY = "100644", "100755", "120000", "160000", "40000"


# git blocks while nobody reads its answers, so a batch must fit into a pipe: 64 KiB, at up to 4 KiB a path.
_AT_ONCE = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a tree. `mode` is git's, e.g. "100644"."""

    mode: str
    sha: Sha


class ObjectReader:
    """Reads objects through one `git cat-file --batch`, started when first needed. Threads may share it.

    Without `contents` all contents are empty, and large objects cost no more than small ones.
    https://git-scm.com/docs/git-cat-file#_batch_output
    """

    def __init__(self, git: Git, *, contents: bool = True) -> None:
        self._git, self._contents = git, contents
        self._lock = threading.Lock()
        self._process: Git.AutoInterrupt | None = None
        self._end: Callable[[], object] = lambda: None

    def read(self, name: str) -> tuple[str, Sha, bytes] | None:
        """Return type, object name and content, or None if there is no such object."""
        return self.read_many([name])[0]

    def read_many(self, names: Sequence[str]) -> list[tuple[str, Sha, bytes] | None]:
        """Return the same for each name; asking for several at once spares waiting."""
        with self._lock:
            process = self._start()
            stdin, stdout = process.stdin, process.stdout
            entries: list[tuple[str, Sha, bytes] | None] = []
            for start in range(0, len(names), _AT_ONCE):
                batch = names[start : start + _AT_ONCE]
                # git ends a name at a line's end, so one that holds it names nothing.
                lines = [b"" if "\n" in name else encode_path(name) for name in batch]
                stdin.write(b"".join(line + b"\n" for line in lines))
                stdin.flush()
                entries += [self._answer(name, stdout) for name in batch]
            return entries

    def _answer(self, name: str, stdout: IO[bytes]) -> tuple[str, Sha, bytes] | None:
        header = stdout.readline()
        if not header:
            self._stop()
            raise GitError(
                f"git ended while it read {name}.", hint="The repository may be damaged: run `git fsck` there."
            )
        words = header.rsplit(None, 2)
        # "<sha> <type> <size>" or "<name as asked> missing"; names may hold spaces, types and sizes do not.
        if len(words) != 3 or not words[2].isdigit():
            return None
        content = b""
        if self._contents:
            content = stdout.read(int(words[2]))
            stdout.read(1)
        return words[1].decode(), Sha(words[0].decode()), content

    def _start(self) -> Git.AutoInterrupt:
        if self._process is None:
            # Nobody reads its messages, so a pipe for them would fill up and stop it.
            option = "--batch" if self._contents else "--batch-check"
            self._process = self._git.start("cat-file", option, stderr=subprocess.DEVNULL)
            # A reader that nobody closed, in a circle of references, ends its process too.
            self._end = weakref.finalize(self, self._process.communicate)
        return self._process

    def close(self) -> None:
        """End the process; a later read starts another."""
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        self._end()
        self._process = None


class ObjectWriter:
    """Writes loose objects into one objects directory."""

    def __init__(self, objects: Path) -> None:
        self.objects = objects

    def write(self, kind: str, content: bytes) -> Sha:
        """Write an object, unless it is there, and return its name."""
        data = b"%s %d\0%s" % (kind.encode(), len(content), content)
        sha = Sha(hashlib.sha1(data, usedforsecurity=False).hexdigest())
        path = loose_path(self.objects, sha)
        if not path.exists():
            # Written aside and renamed, so that a reader never sees half an object.
            partial = path.with_name(f"tmp_obj_{secrets.token_hex(6)}")
            try:
                descriptor = _create(partial)
            except FileNotFoundError:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                descriptor = _create(partial)
            with os.fdopen(descriptor, "wb") as file:
                file.write(zlib.compress(data, 1))
            partial.replace(path)
        return sha

    def write_commit(
        self, tree: Sha, parents: Iterable[Sha], message: str, author: Signature, committer: Signature
    ) -> Sha:
        """Write a commit object; the message is stored as UTF-8."""
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        lines += [f"author {_format_signature(author)}", f"committer {_format_signature(committer)}", "", message]
        return self.write("commit", "\n".join(lines).encode(errors="surrogateescape"))


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)


def encode_path(path: str) -> bytes:
    """Return a path's bytes as git stores them."""
    return path.encode("utf-8", "surrogateescape")


def decode_path(path: bytes) -> str:
    """Return a path as text; bytes that are not UTF-8 survive as surrogates."""
    return path.decode("utf-8", "surrogateescape")


def loose_path(objects: Path, sha: Sha) -> Path:
    """Return where a loose object lies."""
    return objects / sha[:2] / sha[2:]


def _format_signature(signature: Signature) -> str:
    # git's own rule: what would end the field early is left out.
    name, email = (text.translate({ord(sign): None for sign in "<>\n\0"}) for text in (signature.name, signature.email))
    return f"{name.strip()} <{email.strip()}> {signature.date}"


def parse_commit(sha: Sha, content: bytes) -> Commit:
    """Read a commit object. Bytes that the stated encoding cannot decode survive as surrogates.

    Raises:
        GitError: it lacks a line that every commit has.
    """
    head, _, body = content.partition(b"\n\n")
    headers = list(_parse_headers(head))
    encoding = next((value.decode("ascii", "replace") for key, value in headers if key == b"encoding"), "utf-8")
    fields = {key.decode(): value for key, value in headers if key in (b"tree", b"author", b"committer")}
    missing_fields = [name for name in ("tree", "author", "committer") if name not in fields]
    if missing_fields:
        raise GitError(
            f"The commit {sha} is damaged: it has no {' and no '.join(missing_fields)}, so it was not read.",
            hint="Run `git fsck` in the repository; a commit like this one cannot be backported.",
        )
    return Commit(
        sha=sha,
        tree=Sha(fields["tree"].decode()),
        parents=tuple(Sha(value.decode()) for key, value in headers if key == b"parent"),
        author=_parse_signature(_decode(fields["author"], encoding)),
        committer=_parse_signature(_decode(fields["committer"], encoding)),
        message=_decode(body, encoding),
    )


def _parse_headers(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    for line in head.split(b"\n"):
        if not line.startswith(b" "):  # a continuation belongs to a signature, which nothing here needs
            key, _, value = line.partition(b" ")
            yield key, value


def _decode(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except (LookupError, UnicodeDecodeError):
        return content.decode("utf-8", "surrogateescape")


def _parse_signature(line: str) -> Signature:
    name, _, tail = line.partition(" <")
    email, _, date = tail.rpartition("> ")
    return Signature(name, email, date)


def split_tree(content: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """Read a tree object: mode, name and the 20 bytes of the object name of each entry."""
    return _ENTRY.findall(content)


def format_tree(entries: Mapping[str, Entry]) -> bytes:
    """Write a tree object in git's order, in which a directory sorts as if its name ended in "/"."""

    def order(item: tuple[str, Entry]) -> bytes:
        return encode_path(item[0]) + (b"/" if item[1].mode == DIRECTORY else b"")

    return b"".join(
        b"%s %s\0%s" % (entry.mode.encode(), encode_path(name), bytes.fromhex(entry.sha))
        for name, entry in sorted(entries.items(), key=order)
    )
