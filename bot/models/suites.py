"""Regression suites: those of carried patches, and commands that run the target's own tests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """A case that is known to fail for another reason. `cases` is a glob over case names.

    `fixed_by` names the carried patch after which the declaration no longer holds, or is None while nothing fixes it.
    """

    cases: str
    reason: str
    fixed_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """The regression suite of a carried patch: a folder of pytest files, run once per tree in a process of its own.

    One that `takes_turns` starts no case, and looks at nothing of the target's, before there is the file that
    SUITE_TURN names.
    """

    name: str
    directory: Path
    import_paths: tuple[Path, ...] = ()
    known_failures: tuple[KnownFailure, ...] = ()
    timeout: float = 900.0
    takes_turns: bool = False


JUNIT = "{junit}"
"""Stands for the report file in a command."""


BUILD = "build"
"""The name of an error that is about all cases of a run: its tests could not be built."""


class ReportFormat(StrEnum):
    """What a command writes about its cases. Those that are not JUnit XML are converted."""

    JUNIT = "junit"
    SUREFIRE = "surefire"
    """JUnit XML of Maven Surefire, which is empty if the sources do not compile."""
    GO = "go"
    """The events of `go test -json`, with the compiler's lines between them."""
    CARGO = "cargo"
    """What `cargo test` prints."""
    JEST = "jest"
    """The JSON of Jest and Vitest."""
    MOCHA = "mocha"
    """The JSON of Mocha."""
    NODE = "node"
    """The lines of the bot's reporter for `node --test`."""

    @property
    def builds_first(self) -> bool:
        """Whether the command builds all tests of a package before the first one runs."""
        return self in (ReportFormat.GO, ReportFormat.CARGO, ReportFormat.SUREFIRE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSuite:
    """The target's own tests: a command that runs in the tree itself, once per tree, in a process of its own.

    `{python}` and `{junit}` in the command stand for an interpreter and for the report file to write. `junit` is the
    path in the tree at which the command writes a report by itself. With neither, the command is one case, and its exit
    code is the outcome. `format` is that of the report. The command runs in `folder`, a path in the tree, and `tools`
    are the programs that it starts. `overlay` are files of the candidate that are laid over the base: tests that come
    with the change. Of `spliced` files only the test modules are. `manifests`, which are laid over as well, are files
    of the change that name dependencies. `steering` are programs of the change that configure a test run, such as a
    conftest.
    """

    name: str
    command: tuple[str, ...]
    junit: str = ""
    format: ReportFormat = ReportFormat.JUNIT
    folder: str = ""
    tools: tuple[str, ...] = ()
    overlay: tuple[str, ...] = ()
    spliced: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()
    steering: tuple[str, ...] = ()
    known_failures: tuple[KnownFailure, ...] = ()
    timeout: float = 900.0

    @property
    def brings_tests(self) -> bool:
        """Whether its tests come with the change."""
        return bool(self.overlay or self.spliced)

    @property
    def reports(self) -> bool:
        """Whether it writes a report, by which it is known that a test ran."""
        return bool(self.junit) or any(JUNIT in word for word in self.command)


OWN_TESTS = "own-tests"
"""The name of the suite of tests that an original brings."""
COMMAND = "command::"
"""The prefix of a case that stands for a whole command; the suite's name follows."""


def is_own_tests(name: str) -> bool:
    """Say whether a suite has an original's tests. A second one, e.g. of another language, has a number."""
    return re.fullmatch(rf"{OWN_TESTS}(-\d+)?", name) is not None


def suite_title(name: str) -> str:
    """Name a suite for a reader."""
    return f"the original's tests{name.removeprefix(OWN_TESTS).replace('-', ' ')}" if is_own_tests(name) else name
