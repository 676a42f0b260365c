"""A git repository with sglang's history in small: released sources on main, release branches, the merged original.

The sources come from the released wheels at run time; none of them is in this repository.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bot.carried.apply import Applied, apply
from bot.carried.load import CarriedPatch
from bot.carried.source_tree import DirectoryTree
from bot.demo.releases import source_tree
from bot.errors import BackportError
from bot.models import Progress, Sha, silent

# Version → when its wheel was built (UTC), oldest first; each is cut as release/v<version>.
RELEASES: Mapping[str, str] = {
    "0.5.9": "1771804800 +0000",
    "0.5.10": "1775347200 +0000",
    "0.5.11": "1778112000 +0000",
    "0.5.12": "1778889600 +0000",
}
_ORIGINAL_DATE = "1779408000 +0000"
_RELEASER = "sglang releases <releases@sglang.example>"


@dataclass(frozen=True, slots=True)
class History:
    """The repository that was built: a bare git directory, main's tip and the release branches, oldest first."""

    git_dir: Path
    original: Sha
    branches: tuple[str, ...]


def build(git_dir: Path, patch: CarriedPatch, progress: Progress = silent) -> History:
    """Make `git_dir` a bare repository: one commit per release on main, then the original pull request, squashed.

    The original's content is the newest release with the carried patch applied.

    Raises:
        DownloadError: a wheel could not be downloaded.
    """
    sources = {version: source_tree(version, progress) for version in RELEASES}
    progress(f"Building the repository from {len(sources)} releases")
    _git(git_dir, "init", "--quiet", "--bare", "--initial-branch=main", str(git_dir))
    with subprocess.Popen(
        ["git", "-C", str(git_dir), "fast-import", "--quiet", "--done"], stdin=subprocess.PIPE
    ) as importer:
        assert importer.stdin is not None  # noqa: S101 - a pipe was asked for
        _write_releases(importer.stdin, sources)
        _write_original(importer.stdin, list(sources.values())[-1], patch)
        importer.stdin.write(b"done\n")
    if importer.returncode:
        raise BackportError("git fast-import could not build the repository.", hint="Check the free disk space.")
    tip = _git(git_dir, "rev-parse", "refs/heads/main")
    return History(git_dir, Sha(tip), tuple(f"release/v{version}" for version in sources))


def _write_releases(stream: IO[bytes], sources: Mapping[str, Path]) -> None:
    for version, directory in sources.items():
        files = ((path, (directory / path).read_bytes()) for path in DirectoryTree(directory).paths())
        _write_commit(stream, _RELEASER, RELEASES[version], f"Release v{version}", files, fresh=True)
        stream.write(f"reset refs/heads/release/v{version}\nfrom refs/heads/main\n\n".encode())


def _write_original(stream: IO[bytes], newest: Path, patch: CarriedPatch) -> None:
    result = apply(DirectoryTree(newest), patch)
    if not isinstance(result, Applied):
        raise BackportError(f"{patch.name} does not apply to the newest release.", hint="Run `backport-bot check`.")
    origin = patch.provenance.original
    author = f"{origin.author} <{origin.author}@users.noreply.github.com>"
    message = f"{origin.title} (#{origin.pull_request})"
    _write_commit(stream, author, _ORIGINAL_DATE, message, result.changes.items())


def _write_commit(
    stream: IO[bytes], author: str, date: str, message: str, files: Iterable[tuple[str, bytes]], *, fresh: bool = False
) -> None:
    body = f"{message}\n".encode()
    head = f"commit refs/heads/main\nauthor {author} {date}\ncommitter {_RELEASER} {date}\ndata {len(body)}\n"
    stream.write(head.encode() + body + b"\n")
    if fresh:
        stream.write(b"deleteall\n")
    for path, content in files:
        stream.write(f"M 100644 inline python/{path}\ndata {len(content)}\n".encode() + content + b"\n")


def _git(git_dir: Path, *arguments: str) -> str:
    options = [] if arguments[0] == "init" else ["-C", str(git_dir)]
    return subprocess.run(["git", *options, *arguments], check=True, capture_output=True, text=True).stdout.strip()
