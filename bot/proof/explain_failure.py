"""Says what a test run lacked, by the words of its errors, and the key of the configuration that would mend it.

The texts come from untrusted code. So nothing is decided by them: a sentence is added for the reader, no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from bot.models import CaseOutcome, SuiteRun
from bot.text.sanitize import printable_line

_NAME = r"([\w@][\w@./:+-]{0,100})"
_SETUP = "`prove.setup` says how the tree is made ready for its tests"
_RUNNER = "take a runner that has it, or an image in `prove.containers`"


def _pattern(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.MULTILINE)


_FAILURES = (
    (
        _pattern(rf"No module named ['\"]?{_NAME}"),
        f"The Python module {{}} is not installed where the tests ran: {_SETUP}; `prove.python` names an interpreter.",
    ),
    (
        _pattern(rf"fixture ['\"]{_NAME}['\"] not found"),
        f"The plugin of pytest with the fixture {{}} is not installed where the tests ran: {_SETUP}.",
    ),
    (
        _pattern(
            r"requires a different Python: \S+ not in ['\"]?([<>=!~][^'\"\n]{1,40})",
            r"Requires-Python ([<>=!~][^;\n]{1,40})",
        ),
        "The project needs Python {}: `prove.python` names an interpreter, and an image in `prove.containers` has one.",
    ),
    (
        _pattern(
            r"linker `(cc)` not found",
            r"command ['\"](?:\S*-)?(gcc|g\+\+|cc|clang)['\"] failed: No such file",
            r"exec: \"(gcc|g\+\+|cc|clang)\": executable file not found",
            r"C compiler \"?(gcc|g\+\+|cc|clang)\"? not found",
        ),
        f"The C compiler {{}} is not on the machine of the proof: {_RUNNER}.",
    ),
    (
        _pattern(rf"Cannot find (?:module|package) ['\"]{_NAME}['\"]"),
        f"The JavaScript package {{}} is not installed where the tests ran: {_SETUP}.",
    ),
    (
        _pattern(
            rf"no required module provides package {_NAME}",
            rf"missing go\.sum entry for module providing package {_NAME}",
            rf"cannot find module providing package {_NAME}",
        ),
        f"The Go package {{}} is not there: {_SETUP}.",
    ),
    (
        _pattern(rf"no matching package named `{_NAME}`", rf"failed to (?:get|load source for dependency) `{_NAME}`"),
        f"The crate {{}} is not there: {_SETUP}.",
    ),
    (
        _pattern(
            rf"{_NAME}: command not found$",
            rf"^(?:/bin/)?(?:sh|dash|bash): (?:(?:line )?\d+: )?{_NAME}: not found$",
            rf"{_NAME} cannot be started: No such file",
        ),
        f"The program {{}} is not on the machine of the proof: {_RUNNER}.",
    ),
    (
        _pattern(
            r"(Temporary failure in name resolution|Name or service not known|Network is unreachable)",
            r"getaddrinfo (ENOTFOUND|EAI_AGAIN)",
        ),
        "Something wanted to reach the network ({}): suites have none unless `prove.network` is true.",
    ),
)
_MOST_SENTENCES, _MOST_TEXTS = 3, 50
_ERROR = re.compile(r"\b\w*(?:Error|error|Exception)\b|undefined|[Cc]annot ")
_WRAPPER = "Failed to import test module"
"""unittest's own error, before that of the module."""
_LONGEST_LINE = 300
_MATTERS = re.compile(
    r"error|fatal|not found|no matching|cannot|could not|failed|denied|unsupported|requires", re.IGNORECASE
)
_WARNING = re.compile(r"\bwarn(?:ing)?\b", re.IGNORECASE)
_SHOWN_LINES = 5


def remedies(text: str) -> list[str]:
    """Return a sentence for each known cause in a text of errors, in the order of the table, three at most."""
    sentences: dict[str, None] = {}
    for pattern, sentence in _FAILURES:
        for match in pattern.finditer(text):
            name = next(group for group in match.groups() if group)
            sentences[sentence.format(f"`{printable_line(name, 100)}`")] = None
    return list(sentences)[:_MOST_SENTENCES]


def first_error(messages: Iterable[str]) -> str:
    """Return the line of the first message that names an error, or its first line; without a full stop."""
    message = next(filter(None, messages), "")
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    line = next((line for line in lines if _ERROR.search(line) and _WRAPPER not in line), lines[0] if lines else "")
    return printable_line(line, _LONGEST_LINE).rstrip(".")


def lines_that_matter(lines: Sequence[str]) -> list[str]:
    """Return the first lines that speak of an error, as tools end with advice; without such lines, the last ones."""
    filled = [line.strip() for line in lines if line.strip() and "[notice]" not in line]
    errors = [line for line in filled if _MATTERS.search(line) and not _WARNING.search(line)]
    return list(dict.fromkeys(errors))[:_SHOWN_LINES] or filled[-_SHOWN_LINES:]


def run_remedies(*runs: SuiteRun) -> list[str]:
    """Return the same for runs that gave no result, or whose cases could not be judged."""
    return remedies("\n".join(text for run in runs for text in islice(_errors(run), _MOST_TEXTS)))


def _errors(run: SuiteRun) -> Iterator[str]:
    yield run.problem
    yield from (case.message for case in run.cases if case.outcome is CaseOutcome.ERROR)
