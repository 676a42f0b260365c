"""git as a child process: its environment, its exit and its errors.

Owns what a git process may see. Nothing of the caller's configuration or credentials reaches it but what is listed
here, and a token travels only in the environment of a process that talks to a remote.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from bot.errors import GitError, OutOfTime

_PASSED_ON = (
    *("PATH", "HOME", "TMPDIR", "SYSTEMROOT", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "all_proxy"),
)
_FIXED = {
    "LC_ALL": "C",
    "TZ": "UTC",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS": "true",
    "GIT_ALLOW_PROTOCOL": "file:http:https:ssh",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
}
# git runs on directories that the bot made itself, with their configuration. A repository that somebody else set up
# is read through `bot.git.untrusted_repository`, without its own.
_SAFE = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0"),
    *("-c", "core.sharedRepository=0600"),  # what git writes is its owner's alone, as is the data folder
)
_STDERR_KEPT = 2000
# Without the scheme in front, which would be tried from each of its letters: quadratic in a long word.
_CREDENTIALS = re.compile(r"://[^/\s@]+@")
_SECRET = re.compile(r"\b(?:gh[a-z]|github_pat)_[A-Za-z0-9_]{16,}|Authorization: \w+ \S+")


@dataclass(frozen=True, slots=True)
class Completed:
    """A git process that ended by itself."""

    code: int
    stdout: bytes
    stderr: str


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the whole environment of a git process."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**passed_on, **_FIXED, **(extra or {})}


def require_git() -> str:
    """Return the path of git.

    Raises:
        GitError: it is not installed.
    """
    return _program(os.environ.get("PATH"))


@cache
def _program(path: str | None) -> str:
    # Looked up once: a start through the search path takes a tenth longer.
    program = shutil.which("git", path=path)
    if program is None:
        raise GitError("git is not on the PATH, so nothing was done.", hint="Install git 2.38 or newer.")
    return program


def authorization(url: str, token: str) -> dict[str, str]:
    """Return the variables that let git send a token to one URL, and to nothing else."""
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{url}.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """Runs git on one git directory. `variables` are added to the environment of each process."""

    directory: Path
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return the argument list of a process, for callers that keep one running."""
        return [require_git(), f"--git-dir={self.directory}", *_SAFE, *arguments]

    def attempt(
        self,
        *arguments: str,
        stdin: bytes = b"",
        variables: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        seconds: float | None = None,
    ) -> Completed:
        """Run git and return how it ended, whatever that was.

        Raises:
            OutOfTime: it ran longer than `seconds` and was ended.
        """
        try:
            done = subprocess.run(
                self.command(arguments),
                input=stdin,
                capture_output=True,
                check=False,
                timeout=seconds,
                cwd=cwd,
                env=environment({**self.variables, **(variables or {})}),
            )
        except subprocess.TimeoutExpired:
            raise OutOfTime(
                f"git took longer than {seconds:.1f} seconds, so it was ended.",
                hint="Try again where less is going on.",
            ) from None
        return Completed(done.returncode, done.stdout, self.scrub(done.stderr.decode(errors="replace")))

    def run(self, *arguments: str, stdin: bytes = b"", variables: Mapping[str, str] | None = None) -> bytes:
        """Run git and return its output.

        Raises:
            GitError: git ended with a code other than 0.
        """
        done = self.attempt(*arguments, stdin=stdin, variables=variables)
        if done.code:
            raise self.error(done, f"`git {arguments[0]}` failed")
        return done.stdout

    def read_for(self, seconds: float, *arguments: str) -> tuple[bytes, bool]:
        """Run git for at most this long; return what it printed until then, and whether it came to its end."""
        try:
            done = subprocess.run(
                self.command(arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                check=False,
                timeout=max(seconds, 0.01),
                env=environment(self.variables),
            )
        except subprocess.TimeoutExpired as expired:
            return expired.stdout or b"", False
        return done.stdout, done.returncode == 0

    def text(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run git and return its output as text without the last line's end."""
        return self.run(*arguments, stdin=stdin).decode(errors="surrogateescape").rstrip("\n")

    def error(self, done: Completed, what: str, kind: type[GitError] = GitError, hint: str = "") -> GitError:
        """Make the error for a process that ended badly; it carries the end of what git said, without secrets."""
        said = done.stderr.strip()[-_STDERR_KEPT:]
        return kind(
            f"{what} (exit code {done.code}): {said or 'git said nothing'}",
            hint=hint or "See what git said; the repository's mirror may be incomplete.",
            code=done.code,
            stderr=said,
        )

    def scrub(self, text: str) -> str:
        """Take secrets, whatever looks like a token of GitHub's, and credentials in URLs out of a text."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        text = _SECRET.sub("***", text)
        return _CREDENTIALS.sub("://***@", text)
