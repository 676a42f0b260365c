"""A repository's log in bulk: every commit with its message and the paths it changed, from one git process.

GitPython's `iter_commits` and `stats` give the same with a process for each commit, which takes ten times as long
(`tests/bench/bench_gitpython.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, cast

from git import GitCommandError

from bot.git.objects import decode_path
from bot.git.process import ProcessResult
from bot.git.repository import Repository
from bot.models import Sha

_FORMAT = "%H%x00%P%x00%ct%x00%at%x00%an <%ae>%x00%B"
_OPTIONS = (
    *("--stdin", "--topo-order", "-z", "--name-status", "--no-renames", "--diff-merges=first-parent"),
    *("--no-color", "--no-show-signature", "--no-mailmap", "--no-notes", "--no-ext-diff", f"--format={_FORMAT}"),
)
_SHA = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedCommit:
    """A commit as the log shows it. Dates are seconds since the epoch; `paths` differ from its first parent."""

    sha: Sha
    parents: tuple[Sha, ...]
    commit_time: int
    author_time: int
    author: str
    message: str
    paths: tuple[str, ...]

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]


def read_log(
    repository: Repository,
    tips: Iterable[Sha],
    excluded_tips: Iterable[Sha] = (),
    paths: Iterable[str] = (),
    *,
    ready: bool = False,
) -> Iterator[LoggedCommit]:
    """Yield the commits that lead to `tips` and to none of `excluded_tips`, every child before its parents.

    With `paths`, the commits name no other changed paths; every commit is yielded all the same. `ready`: it is known
    that the repository has this part of the history.

    Raises:
        GitError: a tip is not here, or the history behind it is incomplete.
    """
    revisions = "".join([*(f"{sha}\n" for sha in tips), *(f"^{sha}\n" for sha in excluded_tips)])
    limits = [f":(top,literal){path}" for path in paths]
    path_options = ["--full-history", "--sparse", "--", *limits] if limits else []
    process = repository.git.start("log", *_OPTIONS, *path_options, ready=ready)
    # git reads all revisions before it answers, and writes little to stderr: no pipe fills up.
    process.stdin.write(revisions.encode())
    process.stdin.close()
    yield from _parse(_fields(process.stdout))
    messages = process.stderr.read().decode(errors="replace")
    try:
        process.wait()
    except GitCommandError as error:
        result = ProcessResult(cast("int", error.status), b"", messages)
        raise repository.git.error(result, "The history could not be read") from None


def _fields(stream: IO[bytes]) -> Iterator[bytes]:
    remainder = b""
    while chunk := stream.read(_CHUNK):
        *fields, remainder = (remainder + chunk).split(b"\0")
        yield from fields
    if remainder:
        yield remainder


def _parse(fields: Iterator[bytes]) -> Iterator[LoggedCommit]:
    field = next(fields, None)
    while field is not None:
        head = [field, *(next(fields) for _ in range(5))]
        paths: list[str] = []
        # A status is a letter, the first one after a line's end; an object name begins the next commit.
        while (field := next(fields, None)) is not None and not _SHA.fullmatch(field):
            paths.append(decode_path(next(fields)))
        yield _commit(head, paths)


def _commit(head: list[bytes], paths: list[str]) -> LoggedCommit:
    sha, parents, commit_time, author_time, author, message = (part.decode(errors="surrogateescape") for part in head)
    return LoggedCommit(
        sha=Sha(sha),
        parents=tuple(Sha(parent) for parent in parents.split()),
        commit_time=int(commit_time or 0),
        author_time=int(author_time or 0),
        author=author,
        message=message,
        paths=tuple(paths),
    )
