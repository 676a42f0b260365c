"""One bare repository on disk, through git's own plumbing.

It shares no code with `bot.git` on purpose: the fake GitHub judges that package, so it must not share its mistakes.
Knows nothing of pull requests or HTTP.
"""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}
"""git as on a fresh machine: nobody's own configuration changes what the fake GitHub does."""

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
NO_OBJECT = "0" * 40
_FIELDS = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"


class GitRejected(Exception):
    """git said no. Holds what it wrote to standard error."""


@dataclass(frozen=True, slots=True)
class Person:
    """A commit's author or committer."""

    name: str
    email: str
    date: datetime


@dataclass(frozen=True, slots=True)
class GitCommit:
    """A commit object."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]


class GitStore:
    """A bare repository, made if `directory` does not hold one.

    What git says of commits by their names never changes, so it is asked once.
    """

    def __init__(self, directory: Path, default_branch: str = "main") -> None:
        self.directory = directory
        self._logs: dict[tuple[tuple[str, ...], int | None], list[GitCommit]] = {}
        self._merge_bases: dict[tuple[str, str], str] = {}
        self._there: set[tuple[str, str]] = set()
        if not (directory / "HEAD").is_file():
            directory.mkdir(parents=True, exist_ok=True)
            self.run("init", "--quiet", "--bare", f"--initial-branch={default_branch}")

    def run(self, *args: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
        """Run one git command here and return its output. Raises GitRejected when it ends with an error."""
        result = self.attempt(*args, stdin=stdin, environment=environment)
        if result.returncode:
            raise GitRejected(result.stderr.decode(errors="replace").strip())
        return result.stdout

    def attempt(
        self, *args: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run one git command whose exit code is an answer."""
        command = ["git", f"--git-dir={self.directory}", *args]
        return subprocess.run(
            command, input=stdin, capture_output=True, check=False, env={**ENVIRONMENT, **(environment or {})}
        )

    def text(self, *args: str) -> str:
        """Run one git command and return its output as text without the final newline."""
        return self.run(*args).decode(errors="replace").rstrip("\n")

    # --- names ------------------------------------------------------------------------------------------------------

    def resolve(self, name: str, kind: str = "commit") -> str | None:
        """Return the object a name stands for, or None. `kind` is git's: commit, tree, blob, object."""
        if not name or name.startswith("-"):
            return None
        if (name, kind) in self._there:
            return name
        result = self.attempt("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{{kind}}}")
        sha = result.stdout.decode().strip()
        if result.returncode == 0 and sha == name:
            self._there.add((name, kind))
        return sha if result.returncode == 0 else None

    def branch(self, name: str) -> str | None:
        """Return the commit at the tip of a branch, or None."""
        ref = f"refs/heads/{name}"
        if not valid_ref(ref):
            return None
        # Most questions are for branches. One that has a file of its own, or is packed, needs no process.
        try:
            tip = (self.directory / ref).read_text().strip()
        except OSError:
            return self._packed(ref)
        return tip if len(tip) == len(NO_OBJECT) else self.resolve(ref)

    def _packed(self, ref: str) -> str | None:
        file = self.directory / "packed-refs"
        lines = file.read_text().splitlines() if file.is_file() else ()
        return next((line.partition(" ")[0] for line in lines if line.partition(" ")[2] == ref), None)

    def refs(self, *prefixes: str) -> dict[str, str]:
        """List refs below the prefixes with the object each names (a tag object, not what it points at)."""
        lines = self.text("for-each-ref", "--format=%(refname) %(objectname)", *prefixes).splitlines()
        return dict(line.rsplit(" ", 1) for line in lines)

    def kind(self, sha: str) -> str | None:
        """Return an object's type, or None where there is no such object."""
        result = self.attempt("cat-file", "-t", sha)
        return result.stdout.decode().strip() if result.returncode == 0 else None

    def set_ref(self, ref: str, sha: str, current: str | None = None) -> None:
        """Point a ref at an object. `current` is what it must point at now."""
        self.run("update-ref", ref, sha, *([current] if current is not None else []))

    def delete_ref(self, ref: str) -> None:
        """Remove a ref."""
        self.run("update-ref", "-d", ref)

    # --- objects ----------------------------------------------------------------------------------------------------

    def commit(self, sha: str) -> GitCommit:
        """Read one commit."""
        return self.log(sha, limit=1)[0]

    def log(self, *revisions: str, limit: int | None = None) -> list[GitCommit]:
        """List commits, newest first. Revisions are names of commits, or ranges of them."""
        key = (revisions, limit)
        if key not in self._logs:
            options = [f"--format={_FIELDS}%x1e", *([f"--max-count={limit}"] if limit is not None else [])]
            args = ["log", "-z", "--topo-order", *options, "--end-of-options", *revisions, "--"]
            records = self.run(*args).decode(errors="replace").split("\x1e")
            self._logs[key] = [_commit_of(record) for record in records if record.strip("\0\n")]
        return self._logs[key].copy()

    def read(self, sha: str, path: str) -> bytes | None:
        """Return a file of a commit, or None."""
        result = self.attempt("cat-file", "blob", f"{sha}:{path}")
        return result.stdout if result.returncode == 0 else None

    def merge_base(self, left: str, right: str) -> str | None:
        """Return the best common ancestor of two commits, or None for unrelated histories."""
        if (left, right) not in self._merge_bases:
            result = self.attempt("merge-base", left, right)
            if result.returncode:
                return None
            self._merge_bases[left, right] = result.stdout.decode().strip()
        return self._merge_bases[left, right]

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Say whether a commit is another one or below it."""
        return self.attempt("merge-base", "--is-ancestor", ancestor, descendant).returncode == 0

    def write_commit(self, tree: str, parents: Sequence[str], message: str, author: Person, committer: Person) -> str:
        """Write a commit object and return its name."""
        args = [argument for parent in parents for argument in ("-p", parent)]
        identity = {**_identity("AUTHOR", author), **_identity("COMMITTER", committer)}
        out = self.run("commit-tree", tree, *args, stdin=message.encode(), environment=identity)
        return out.decode().strip()

    def fetch(self, source: Path, refspec: str) -> None:
        """Bring objects and a ref from another repository on this disk."""
        self.run("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", str(source), refspec)


@functools.cache
def valid_ref(ref: str) -> bool:
    """Say whether git accepts a name as a full ref."""
    result = subprocess.run(["git", "check-ref-format", ref], capture_output=True, check=False, env=ENVIRONMENT)
    return result.returncode == 0


def _identity(role: str, person: Person) -> dict[str, str]:
    date = f"{int(person.date.timestamp())} {person.date.strftime('%z') or '+0000'}"
    return {f"GIT_{role}_NAME": person.name, f"GIT_{role}_EMAIL": person.email, f"GIT_{role}_DATE": date}


def _commit_of(record: str) -> GitCommit:
    sha, tree, parents, an, ae, ad, cn, ce, cd, message = record.lstrip("\0\n").split("\0", 9)
    return GitCommit(
        sha=sha,
        tree=tree,
        parents=tuple(parents.split()),
        author=Person(an, ae, _date_of(ad)),
        committer=Person(cn, ce, _date_of(cd)),
        message=message.rstrip("\n"),
    )


def _date_of(text: str) -> datetime:
    return datetime.fromisoformat(text) if text else datetime.fromtimestamp(0, UTC)
