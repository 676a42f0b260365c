"""Histories for tests, written by git itself: fixed dates, no configuration of the machine, any bytes in any name."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.models import Sha, Signature

AUTHOR = Signature("Ada Author", "ada@example.org", "1700000000 +0200")
COMMITTER = Signature("Backport Bot", "bot@example.org", "1800000000 +0000")

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": AUTHOR.name,
    "GIT_AUTHOR_EMAIL": AUTHOR.email,
    "GIT_AUTHOR_DATE": AUTHOR.date,
    "GIT_COMMITTER_NAME": "Main Tainer",
    "GIT_COMMITTER_EMAIL": "main@example.org",
    "GIT_COMMITTER_DATE": "1700000100 +0000",
}


@dataclass(frozen=True)
class File:
    """A file with a mode of its own. The content of a link ("120000") is where it points, of a submodule a commit."""

    mode: str
    content: bytes


Files = Mapping[str, bytes | str | File | None]


class History:
    """A bare repository and commits in it, each made of the files that it changes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = 1_700_000_000
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(directory), bare=False)

    def git(self, *arguments: str, stdin: bytes = b"", bare: bool = True) -> str:
        """Run git here and return what it printed."""
        options = [f"--git-dir={self.directory}"] if bare else []
        result = subprocess.run(
            ["git", *options, *arguments], input=stdin, capture_output=True, check=True, env=ENVIRONMENT
        )
        return result.stdout.decode(errors="surrogateescape").strip()

    def commit(
        self,
        files: Files,
        *parents: Sha,
        message: str | bytes = "change",
        author: Signature = AUTHOR,
        encoding: str | None = None,
    ) -> Sha:
        """Make a commit: its first parent's tree with these files changed; None removes one."""
        self.clock += 60
        body = message.encode() if isinstance(message, str) else message
        stream = [
            b"commit refs/scratch",
            f"author {author.name} <{author.email}> {author.date}".encode(),
            f"committer Main Tainer <main@example.org> {self.clock} +0000".encode(),
            *([f"encoding {encoding}".encode()] if encoding else []),
            b"data %d\n%s" % (len(body), body),
            *([f"from {parents[0]}".encode()] if parents else [b"from " + b"0" * 40]),
            *(f"merge {parent}".encode() for parent in parents[1:]),
        ]
        for path, content in files.items():
            stream += self._file(path, content)
        self.git("fast-import", "--quiet", "--force", "--date-format=raw", stdin=b"\n".join([*stream, b"", b""]))
        return Sha(self.git("rev-parse", "refs/scratch"))

    def _file(self, path: str, content: bytes | str | File | None) -> list[bytes]:
        raw = path.encode("utf-8", "surrogateescape")
        quoted_path = (
            b'"'
            + b"".join(b"\\%03o" % byte if byte > 126 or byte in b'"\\\n' else bytes([byte]) for byte in raw)
            + b'"'
        )
        if content is None:
            return [b"D " + quoted_path]
        if isinstance(content, str):
            content = content.encode()
        if isinstance(content, bytes):
            content = File("100644", content)
        if content.mode == "160000":
            return [b"M 160000 %s %s" % (content.content, quoted_path)]
        return [
            b"M %s inline %s" % (content.mode.encode(), quoted_path),
            b"data %d\n%s" % (len(content.content), content.content),
        ]

    def branch(self, name: str, commit: Sha) -> Sha:
        """Point a branch at a commit."""
        self.git("update-ref", f"refs/heads/{name}", commit)
        return commit

    def tree(self, commit: Sha) -> Sha:
        """Return the tree of a commit."""
        return Sha(self.git("rev-parse", f"{commit}^{{tree}}"))

    def show(self, commit: Sha, path: str) -> str:
        """Return a file's content."""
        return self.git("show", f"{commit}:{path}")

    def lose(self, sha: str) -> None:
        """Take an object away, as a partial or damaged clone would have it."""
        for pack in (self.directory / "objects/pack").glob("*.pack"):
            content = pack.read_bytes()
            for part in pack.parent.glob(f"{pack.stem}.*"):
                part.unlink()
            self.git("unpack-objects", "-q", stdin=content)
        (self.directory / "objects" / sha[:2] / sha[2:]).unlink()


@dataclass(frozen=True)
class Judgement:
    """How a real `git cherry-pick` ended: "clean", "empty" or "conflict", with its tree or its unmerged entries."""

    verdict: str
    tree: str = ""
    unmerged: frozenset[tuple[str, str, str]] = frozenset()


class Judge:
    """A worktree in which real cherry-picks are made."""

    def __init__(self, history: History, directory: Path) -> None:
        self.directory = directory
        self._run("init", "--quiet", str(directory), cwd=None)
        (directory / ".git/objects/info/alternates").write_text(f"{history.directory}/objects\n")

    def _run(self, *arguments: str, cwd: Path | None) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["git", *arguments], cwd=cwd, capture_output=True, check=False, env=ENVIRONMENT, stdin=subprocess.DEVNULL
        )

    def git(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run git in the worktree."""
        return self._run(*arguments, cwd=self.directory)

    def cherry_pick(self, commit: Sha, onto: Sha, *options: str) -> Judgement:
        """Pick a commit with a worktree, as a person does."""
        self.git("reset", "--quiet", "--hard", onto)
        self.git("clean", "-ffdxq")
        result = self.git("cherry-pick", *options, commit)
        process = self.git("rev-parse", "--verify", "--quiet", "CHERRY_PICK_HEAD").returncode == 0
        assert process or result.returncode == 0, f"git did not even try: {result.stderr.decode()}"
        unmerged = self._unmerged()
        if result.returncode == 0:
            return Judgement("clean", self.git("rev-parse", "HEAD^{tree}").stdout.decode().strip())
        staged = self.git("diff", "--cached", "--quiet", "--ignore-submodules=none").returncode
        return Judgement("conflict", unmerged=unmerged) if unmerged or staged else Judgement("empty")

    def _unmerged(self) -> frozenset[tuple[str, str, str]]:
        lines = self.git("ls-files", "--unmerged", "-z").stdout.decode(errors="surrogateescape").split("\0")[:-1]
        split = (line.partition("\t") for line in lines)
        # git moves a path aside under a label, which is HEAD or the commit's title here.
        return frozenset((path.partition("~")[0], *fields.split(" ")[1:]) for fields, _, path in split)  # type: ignore[misc]
