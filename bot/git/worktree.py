"""A worktree beside a person's own clone, in which git picks commits and leaves conflicts for the person.

git runs here as the person would run it: with their configuration, identity and hooks. That is for a clone that the
person works in themselves, and for nothing else; the bot's own repositories are never run so.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import GitError
from bot.git.environment import require_git
from bot.git.open import CALLERS_REPOSITORY
from bot.models import Sha

_EXPORT = "refs/backport/candidate"
"""The name under which `bot.git.bundle` expects a candidate."""


@dataclass(frozen=True, slots=True)
class Worktree:
    """A checkout of a person. Every method may raise GitError."""

    directory: Path

    @property
    def git_dir(self) -> Path:
        """The folder in which git keeps what is this worktree's own."""
        return Path(self._text("rev-parse", "--absolute-git-dir"))

    @property
    def head(self) -> Sha:
        """The commit that is checked out."""
        return Sha(self._text("rev-parse", "HEAD"))

    def fetch(self, url: str, names: Sequence[str], variables: Mapping[str, str]) -> None:
        """Bring commits here. No branch and no remote of the person changes; `variables` let git sign in."""
        self._run("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", url, *names, variables=variables)

    def add(self, directory: Path, commit: Sha) -> Worktree:
        """Make another worktree of this clone, with a commit checked out and no branch."""
        self._run("worktree", "add", "--quiet", "--detach", str(directory), commit)
        return Worktree(directory)

    def all(self) -> Iterator[Worktree]:
        """Yield the clone and each of its worktrees that is there."""
        for line in self._text("worktree", "list", "--porcelain").splitlines():
            if line.startswith("worktree ") and Path(line.removeprefix("worktree ")).is_dir():
                yield Worktree(Path(line.removeprefix("worktree ")))

    def remove(self) -> None:
        """Remove this worktree with all that is in it."""
        # git refuses to remove the folder that it runs in, and the person may stand in it.
        common = Path(self._text("rev-parse", "--path-format=absolute", "--git-common-dir"))
        Worktree(common)._run("worktree", "remove", "--force", str(self.directory))

    def pick(self, commits: Sequence[Sha], *, mainline: bool) -> bool:
        """Cherry-pick commits as git does it; return whether all of them applied. A commit that changes nothing is
        passed over."""
        return self._go_on("cherry-pick", "-x", *(["-m", "1"] if mainline else []), *commits)

    def take_back(self, paths: Sequence[str]) -> None:
        """Let these paths be as in the commit that is checked out; a path that it does not have is removed."""
        if paths:
            self._run(
                "restore", "--source=HEAD", "--staged", "--worktree", "--", *(f":(literal){path}" for path in paths)
            )

    def continue_pick(self) -> bool:
        """Commit what is resolved and pick the rest; return whether all of it applied."""
        return not self.is_picking or self._go_on("-c", "core.editor=true", "cherry-pick", "--continue")

    @property
    def is_picking(self) -> bool:
        """Whether a cherry-pick stopped and has not ended."""
        return any((self.git_dir / name).exists() for name in ("CHERRY_PICK_HEAD", "sequencer"))

    def unmerged(self) -> dict[str, str]:
        """Return the unmerged paths, each with git's word for its conflict."""
        # https://git-scm.com/docs/git-status#_short_format
        entries = self._text("status", "--porcelain", "-z", "--untracked-files=no").split("\0")
        return {entry[3:]: _CONFLICTS[entry[:2]] for entry in entries if entry[:2] in _CONFLICTS}

    def changed(self) -> list[str]:
        """Return the tracked paths that differ from the commit that is checked out."""
        entries = self._text("status", "--porcelain", "-z", "--untracked-files=no", "--no-renames").split("\0")
        return [entry[3:] for entry in entries if entry]

    def commits_since(self, base: Sha) -> tuple[Sha, ...]:
        """Return the commits on top of `base`, oldest first; none if it is not below what is checked out."""
        if self._attempt("merge-base", "--is-ancestor", base, "HEAD").returncode:
            return ()
        return tuple(map(Sha, self._text("rev-list", "--reverse", f"{base}..HEAD").split()))

    def write_bundle(self, base: Sha, file: Path) -> None:
        """Write the commits on top of `base` to a file that `bot.git.bundle` reads."""
        self._run("update-ref", _EXPORT, "HEAD")
        try:
            self._run("bundle", "create", "--quiet", str(file), f"^{base}", _EXPORT)
        finally:
            self._run("update-ref", "-d", _EXPORT)

    def _go_on(self, *arguments: str) -> bool:
        result = self._attempt(*arguments)
        while result.returncode and self.is_picking and not self.unmerged() and not self.changed():
            result = self._attempt("cherry-pick", "--skip")
        if result.returncode and not self.is_picking:
            raise self._error(arguments, result)
        return result.returncode == 0

    def _text(self, *arguments: str) -> str:
        return self._run(*arguments).stdout.rstrip("\n")

    def _run(self, *arguments: str, variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        result = self._attempt(*arguments, variables=variables)
        if result.returncode:
            raise self._error(arguments, result)
        return result

    def _attempt(self, *arguments: str, variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        # A hook or an editor that starts the bot has git's variables in its environment.
        own = {name: value for name, value in os.environ.items() if name not in CALLERS_REPOSITORY}
        return subprocess.run(
            [require_git(), *arguments],
            cwd=self.directory,
            env={**own, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", **(variables or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )

    def _error(self, arguments: Sequence[str], result: subprocess.CompletedProcess[str]) -> GitError:
        words = " ".join(argument for argument in arguments[:2] if not argument.startswith("-"))
        return GitError(
            f"`git {words}` failed in {self.directory}: {result.stderr.strip()[-500:]}",
            hint="Correct that and run the same command again.",
            code=result.returncode,
            stderr=result.stderr,
        )


_CONFLICTS = {
    "DD": "both deleted",
    "AU": "added by the branch",
    "UD": "deleted by the original",
    "UA": "added by the original",
    "DU": "deleted by the branch",
    "AA": "both added",
    "UU": "both modified",
}
