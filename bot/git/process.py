"""Runs git: GitPython's command runner, with an environment, errors and time limits of our own.

GitPython hands the caller's whole environment to git, so `Git.execute` starts the process itself. Everything else of
GitPython that runs git (`Repo.init`, `Remote.fetch`, `Remote.push`) comes through it and is isolated alike. Measured by
`tests/bench/bench_gitpython.py`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from typing import TYPE_CHECKING, Any

import git

from bot.environment.trace import span
from bot.errors import FetchFailed, GitError, MirrorDamaged, OutOfTime
from bot.git.environment import SETTINGS, environment, require_git
from bot.text.redaction import redact

# git's fixed words; the locale is always C.
_DAMAGE = re.compile(
    r"\.lock': File exists|bad object|missing (?:blob|tree|commit)|unable to read|is corrupt|inflate: "
    r"|data stream error|could not parse (?:commit|object)|object file .* is empty|packfile .* cannot be"
    r"|index file .* is|bad tree|not a git repository"
)
_STDERR_LIMIT = 2000
"""Characters of git's messages that an error keeps."""


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """A git process that ended by itself."""

    code: int
    stdout: bytes
    stderr: str


Through = Callable[[Callable[[], ProcessResult]], ProcessResult]
"""Runs a process, perhaps more than once, and returns how it ended."""


def _subcommand(arguments: Sequence[str]) -> str:
    """Return the name of a git command, which settings may precede."""
    words = list(arguments)
    while words[:1] == ["-c"]:
        words = words[2:]
    return words[0] if words else ""


def _end(process: git.Git.AutoInterrupt) -> None:
    process.kill()
    process.__del__()  # closes the pipes and waits; GitPython ends its own processes so


class Git(git.Git):
    """Runs git on one git directory. `variables` are added to the environment of each process.

    `before` is called with the arguments of each process that is not said to be `ready`. `through` runs each attempt,
    perhaps more than once. `is_mirror` says that what is damaged here can be made anew.
    """

    if TYPE_CHECKING:
        # GitPython takes any name for a git command. An object cannot be called, so mypy reports a misspelt method.
        def __getattribute__(self, name: str) -> object: ...

    def __init__(
        self,
        directory: str | os.PathLike[str] | None = None,
        *,
        variables: Mapping[str, str] | None = None,
        secrets: tuple[str, ...] = (),
        before: Callable[[Sequence[str]], object] | None = None,
        through: Through | None = None,
        is_mirror: bool = False,
    ) -> None:
        super().__init__(directory)
        self.directory = Path(directory or ".")
        self.variables: Mapping[str, str] = variables or {}
        self.secrets = secrets
        self.before = before
        self.through = through
        self.is_mirror = is_mirror

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return the argument list of a process."""
        return [require_git(), f"--git-dir={self.directory}", *SETTINGS, *arguments]

    def start(
        self,
        *arguments: str,
        variables: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        ready: bool = False,
        **options: Any,  # noqa: ANN401 - of subprocess.Popen
    ) -> git.Git.AutoInterrupt:
        """Start git and return the process, which is ended with the last reference to it."""
        if self.before is not None and not ready:
            self.before(arguments)
        command = self.command(arguments)
        variables = environment({**self.variables, **(variables or {})})
        defaults: dict[str, Any] = {"stdin": PIPE, "stdout": PIPE, "stderr": PIPE}
        return self.AutoInterrupt(Popen(command, cwd=cwd, env=variables, **{**defaults, **options}), arguments)

    def execute(  # type: ignore[override]  # GitPython's has an overload for each combination of options
        self,
        command: Sequence[str],
        istream: int | None = None,
        *,
        as_process: bool = False,
        with_stdout: bool = True,
        universal_newlines: bool = False,
        kill_after_timeout: float | None = None,
    ) -> Any:  # noqa: ANN401 - GitPython's
        """Run a command that GitPython composed. Options that no call of ours leads to raise TypeError.

        Raises:
            GitCommandError: git ended with a code other than 0.
        """
        # A server may send bytes that are no UTF-8; GitPython's reading threads would die of them, and git with them.
        text: dict[str, Any] = {"encoding": "utf-8", "errors": "surrogateescape"} if universal_newlines else {}
        process = self.start(
            *command[1:],
            cwd=self.working_dir,
            stdin=istream or DEVNULL,
            stdout=PIPE if with_stdout else DEVNULL,
            **text,
        )
        if as_process:
            return process
        stdout, stderr = process.communicate(timeout=kill_after_timeout)
        if process.returncode:
            raise git.GitCommandError(list(command), process.returncode, stderr, stdout)
        return os.fsdecode(stdout).removesuffix("\n")

    def attempt(
        self,
        *arguments: str,
        stdin: bytes = b"",
        variables: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        seconds: float | None = None,
        ready: bool = False,
    ) -> ProcessResult:
        """Run git and return how it ended, whatever that was.

        Raises:
            OutOfTime: it ran longer than `seconds` and was ended.
        """
        with span("git", command=_subcommand(arguments)) as this:
            run = partial(self._attempt, arguments, stdin, variables, cwd, seconds, ready=ready)
            result = self.through(run) if self.through is not None else run()
            this.attributes["code"] = result.code
            return result

    def _attempt(
        self,
        arguments: Sequence[str],
        stdin: bytes,
        variables: Mapping[str, str] | None,
        cwd: Path | None,
        seconds: float | None,
        *,
        ready: bool,
    ) -> ProcessResult:
        process = self.start(*arguments, variables=variables, cwd=cwd, ready=ready)
        try:
            stdout, stderr = process.communicate(stdin, timeout=seconds)
        except TimeoutExpired:
            _end(process)
            raise OutOfTime(
                f"git took longer than {seconds:.1f} seconds, so it was ended.",
                hint="Try again when the machine is less busy.",
            ) from None
        return ProcessResult(process.returncode, stdout, self.scrub(stderr.decode(errors="replace")))

    def run(self, *arguments: str, stdin: bytes = b"", variables: Mapping[str, str] | None = None) -> bytes:
        """Run git and return its output.

        Raises:
            GitError: git ended with a code other than 0.
        """
        result = self.attempt(*arguments, stdin=stdin, variables=variables)
        if result.code:
            raise self.error(result, f"`git {arguments[0]}` failed")
        return result.stdout

    def read_for(self, seconds: float, *arguments: str) -> tuple[bytes, bool]:
        """Run git for at most this long; return its output until then, and whether it ended by itself without error."""
        process = self.start(*arguments, stdin=DEVNULL, stderr=DEVNULL)
        try:
            stdout, _ = process.communicate(timeout=max(seconds, 0.01))
        except TimeoutExpired as timeout:
            _end(process)
            return timeout.output or b"", False
        return stdout, process.returncode == 0

    def text(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run git and return its output as text without the last line's end."""
        return self.run(*arguments, stdin=stdin).decode(errors="surrogateescape").rstrip("\n")

    def error(self, result: ProcessResult, action: str, kind: type[GitError] = GitError, hint: str = "") -> GitError:
        """Return the error for a process that failed; it carries the end of git's messages, without secrets."""
        messages = result.stderr.strip()[-_STDERR_LIMIT:]
        if self.is_mirror and kind in (GitError, FetchFailed) and _DAMAGE.search(result.stderr):
            kind = MirrorDamaged
        return kind(
            f"{action} (exit code {result.code}): {messages or 'git said nothing'}",
            hint=hint or "Read git's message; the repository's mirror may be incomplete.",
            code=result.code,
            stderr=messages,
        )

    def lacks(self, what: str) -> GitError:
        """Return the error for an object that is not here."""
        if self.is_mirror:
            return MirrorDamaged(f"The mirror lacks the {what}.", hint="Try again: the mirror is looked at.")
        return GitError(f"There is no {what} in {self.directory}.", hint="Fetch it first.")

    def scrub(self, text: str) -> str:
        """Remove secrets, what looks like a token of GitHub's, credentials in URLs, and the path to the directory."""
        # A comment may show it, and where the bot keeps its things is nobody's business.
        if self.directory.is_absolute():
            text = text.replace(str(self.directory), self.directory.name)
        return redact(text, self.secrets)
