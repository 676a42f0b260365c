"""Reads cases from the events of `go test -json`: https://pkg.go.dev/cmd/test2json.

Before Go 1.24 the compiler's lines stand between the events as plain text, `# package` before them. A package that does
not build is an error under the package's name, so its tests count as its inner cases.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.models import BUILD, CaseOutcome, CaseResult
from bot.proof.junit import bounded_seconds

_ENDS = {"pass": CaseOutcome.PASSED, "fail": CaseOutcome.FAILED, "skip": CaseOutcome.SKIPPED}
_UNBUILT = re.compile(r"FAIL\t(?P<package>\S+) \[(?:build|setup) failed\]")
_HEADING = re.compile(r"# (?P<package>\S+)")
_FRAME = re.compile(r"\s*(?:=== |--- )")
"""Lines of the test binary about its own progress."""
_KEPT = 20
"""Lines of a case that are kept as its message."""


@dataclass(slots=True)
class _Reader:
    """What was read so far: lines by package and test, and ended cases."""

    output: dict[str, list[str]] = field(default_factory=dict)
    cases: dict[str, CaseResult] = field(default_factory=dict)
    heading: str = BUILD

    def take_text(self, line: str) -> None:
        """Take a line that is no event: the compiler's, or what became of a package that was not built."""
        unbuilt, heading = _UNBUILT.match(line), _HEADING.match(line)
        if unbuilt:
            self._fail_package(unbuilt["package"])
        elif heading:
            self.heading = heading["package"]
        else:
            self._keep(self.heading, line)

    def take_event(self, event: dict[str, Any]) -> None:
        """Take an event. Anything of another type than documented is passed over."""
        action, package, test = (str(event.get(key) or "") for key in ("Action", "Package", "Test"))
        if action == "build-output":
            self._keep(_package(str(event.get("ImportPath") or "")), str(event.get("Output") or ""))
        elif action == "output":
            text = str(event.get("Output") or "")
            unbuilt = _UNBUILT.match(text)
            if unbuilt and not test:
                self._fail_package(unbuilt["package"])
            else:
                self._keep(_name(package, test), text)
        elif action in _ENDS and test:
            self._end(_name(package, test), _ENDS[action], event.get("Elapsed"))
        elif action == "fail" and package:
            self._fail_package(package)

    def _keep(self, name: str, line: str) -> None:
        lines = self.output.setdefault(name, [])
        if line.strip() and not _FRAME.match(line) and len(lines) < _KEPT:
            lines.append(line.rstrip())

    def _end(self, name: str, outcome: CaseOutcome, seconds: object) -> None:
        message = "" if outcome is CaseOutcome.PASSED else "\n".join(self.output.get(name, ()))
        self.cases[name] = CaseResult(name=name, outcome=outcome, message=message, seconds=bounded_seconds(seconds))

    def _fail_package(self, package: str) -> None:
        """Let a package fail as a whole, unless a failed test of it says why."""
        failed = (case for name, case in self.cases.items() if name.startswith(f"{package}::"))
        if any(case.outcome is CaseOutcome.FAILED for case in failed):
            return
        lines = self.output.get(package, ()) or self.output.get(BUILD, ())
        self.cases[package] = CaseResult(name=package, outcome=CaseOutcome.ERROR, message="\n".join(lines))


def read_go_cases(text: str) -> list[CaseResult]:
    """Return the cases of a run, `package::Test/subtest` by name."""
    reader = _Reader()
    for line in text.splitlines():
        event = _event(line)
        if event is None:
            reader.take_text(line)
        else:
            reader.take_event(event)
    return list(_without_parents(reader.cases))


def _event(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and "Action" in event else None


def _name(package: str, test: str) -> str:
    return f"{package}::{test}" if test else package


def _package(import_path: str) -> str:
    """Return the package of `example.com/widget/ring [example.com/widget/ring.test]`."""
    return import_path.partition(" ")[0]


def _without_parents(cases: dict[str, CaseResult]) -> Iterator[CaseResult]:
    """Yield the cases without failed tests that have a failed subtest, which says the same."""
    parents = {
        name[:position]
        for name, case in cases.items()
        if case.outcome is CaseOutcome.FAILED
        for position, character in enumerate(name)
        if character == "/"
    }
    yield from (case for name, case in cases.items() if name not in parents)
