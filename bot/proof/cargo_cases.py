"""Reads cases from what `cargo test` prints. The lines of libtest are stable; its JSON is not.

https://doc.rust-lang.org/rustc/tests/index.html shows them. A case is named by the crate of its test binary and its
path in it.
"""

from __future__ import annotations

import re

from bot.models import BUILD, CaseOutcome, CaseResult

_BINARY = re.compile(
    r"\s*Running (?:unittests )?(?P<path>\S+) \((?:.*[/\\])?(?P<crate>[^/\\()]+?)-[0-9a-f]{16}(?:\.exe)?\)"
)
_CASE = re.compile(r"test (?P<name>\S.*?)(?: - should panic)? \.\.\. (?P<end>ok|FAILED|ignored)(?:, (?P<why>.*))?$")
_BEGUN = re.compile(r"test (?P<name>\S.*?)(?: - should panic)? \.\.\. ")
_LATE_END = re.compile(r"(?:.*\s)?(?P<end>ok|FAILED)$")
"""With one thread libtest prints a test's name before it runs, and what a child process prints stands in between."""
_DETAILS = re.compile(r"---- (?P<name>\S.*?) stdout ----$")
_ERROR = re.compile(r"error(?:\[E\d+\])?: ")
_ENDS = {"ok": CaseOutcome.PASSED, "FAILED": CaseOutcome.FAILED, "ignored": CaseOutcome.SKIPPED}
_KEPT = 12
"""Lines of a failure that are kept."""


def read_cargo_cases(text: str) -> list[CaseResult]:
    """Return the cases of a run. A run whose code does not compile has one error instead."""
    cases: dict[str, CaseResult] = {}
    details: dict[str, list[str]] = {}
    crate, within, begun = "", "", ""
    for line in text.splitlines():
        binary, detail = _BINARY.match(line), _DETAILS.match(line)
        case = _CASE.match(line)
        if binary:
            crate, within = binary["crate"], ""
        elif detail:
            within = f"{crate}::{detail['name']}"
        elif line.startswith(("failures:", "test result:")):
            within = ""
        elif within:
            details.setdefault(within, []).append(line)
        elif case and crate:
            name, begun = f"{crate}::{case['name']}", ""
            cases[name] = CaseResult(name=name, outcome=_ENDS[case["end"]], message=case["why"] or "")
        elif crate and (start := _BEGUN.match(line)):
            begun = f"{crate}::{start['name']}"
        elif begun and (end := _LATE_END.match(line)):
            cases[begun] = CaseResult(name=begun, outcome=_ENDS[end["end"]])
            begun = ""
    if not cases:
        return _unbuilt(text)
    return [_with_details(case, details.get(case.name, [])) for case in cases.values()]


def _with_details(case: CaseResult, lines: list[str]) -> CaseResult:
    if case.outcome is not CaseOutcome.FAILED:
        return case
    kept = [line for line in lines if line.strip()][:_KEPT]
    return CaseResult(name=case.name, outcome=case.outcome, message="\n".join(kept))


def _unbuilt(text: str) -> list[CaseResult]:
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if _ERROR.match(line)), None)
    if start is None:
        return []
    message = "\n".join(line for line in lines[start : start + _KEPT] if line.strip())
    return [CaseResult(name=BUILD, outcome=CaseOutcome.ERROR, message=message)]
