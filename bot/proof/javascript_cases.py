"""Reads cases from the JSON of JavaScript's test runners. A file that cannot be loaded is an error under its own name.

Jest and Vitest write one shape: https://jestjs.io/docs/cli#--json, https://vitest.dev/guide/reporters#json-reporter.
Mocha has its own: https://mochajs.org/#json. `node --test` has none, so the bot brings a reporter (node_reporter.mjs).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.errors import SuiteError
from bot.models import CaseOutcome, CaseResult
from bot.proof.junit import bounded_seconds

_MILLISECOND = 0.001
_JEST = {"passed": CaseOutcome.PASSED, "failed": CaseOutcome.FAILED}
"""All other states of a test are one of being skipped: pending, skipped, todo, disabled."""


def read_jest_cases(text: str, root: str) -> list[CaseResult]:
    """Return the cases of Jest or Vitest, `file::suite::title` by name. Raises SuiteError for another shape."""
    document = _load(text)
    return [case for entry in _objects(document, "testResults") for case in _jest_file(entry, root)]


def _jest_file(entry: Mapping[str, Any], root: str) -> Iterator[CaseResult]:
    file = _relative(entry.get("name"), root)
    tests = _objects(entry, "assertionResults")
    if not tests and entry.get("status") == "failed":
        yield CaseResult(name=file, outcome=CaseOutcome.ERROR, message=_text(entry.get("message")))
    for test in tests:
        messages = test.get("failureMessages")
        yield CaseResult(
            name=_name(file, [*_texts(test.get("ancestorTitles")), _text(test.get("title"))]),
            outcome=_JEST.get(_text(test.get("status")), CaseOutcome.SKIPPED),
            message="\n".join(_texts(messages)),
            seconds=bounded_seconds(test.get("duration"), _MILLISECOND),
        )


def read_mocha_cases(text: str, root: str) -> list[CaseResult]:
    """Return the cases of Mocha, `file::full title` by name. Raises SuiteError for another shape."""
    document = _load(text)
    skipped = {_mocha_name(test, root) for test in _objects(document, "pending")}
    return [_mocha_case(test, _mocha_name(test, root), skipped) for test in _objects(document, "tests")]


def _mocha_name(test: Mapping[str, Any], root: str) -> str:
    return _name(_relative(test.get("file"), root), [_text(test.get("fullTitle"))])


def _mocha_case(test: Mapping[str, Any], name: str, skipped: set[str]) -> CaseResult:
    error = test.get("err")
    message = _text(error.get("stack") or error.get("message")) if isinstance(error, dict) and error else ""
    outcome = CaseOutcome.FAILED if message else CaseOutcome.SKIPPED if name in skipped else CaseOutcome.PASSED
    return CaseResult(
        name=name, outcome=outcome, message=message, seconds=bounded_seconds(test.get("duration"), _MILLISECOND)
    )


def read_node_cases(text: str, root: str) -> list[CaseResult]:
    """Return the cases of `node --test`, `file::suite::title` by name. Raises SuiteError for another shape."""
    return [_node_case(_load(line), root) for line in text.splitlines() if line.strip()]


def _node_case(event: Mapping[str, Any], root: str) -> CaseResult:
    file, path = _relative(event.get("file"), root), _texts(event.get("path"))
    is_file = event.get("whole") is True
    failed = CaseOutcome.ERROR if is_file else CaseOutcome.FAILED
    outcome = CaseOutcome.SKIPPED if event.get("skipped") else CaseOutcome.PASSED if event.get("passed") else failed
    return CaseResult(
        name=file if is_file else _name(file, path),
        outcome=outcome,
        message=_text(event.get("message")),
        seconds=bounded_seconds(event.get("milliseconds"), _MILLISECOND),
    )


def _load(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"The report is no JSON ({error}); it was not read.", hint=_HINT) from error
    if not isinstance(document, dict):
        raise SuiteError("The report is not what its test runner writes; it was not read.", hint=_HINT)
    return document


_HINT = "Run the tests by hand with their JSON reporter, and look at the file."


def _objects(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    entries = document.get(key)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _texts(value: object) -> list[str]:
    return [_text(entry) for entry in value] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _relative(file: object, root: str) -> str:
    """Return a file's path in the tree: the two trees of a proof lie in different places."""
    path = _text(file).removeprefix("file://")
    return os.path.relpath(path, root) if path.startswith(f"{root}/") else path


def _name(file: str, path: Iterable[str]) -> str:
    return "::".join(part for part in (file, *path) if part)
