"""Reads the report of a test command in any of its formats, and writes it as JUnit XML.

A process that ran untrusted code wrote the report, so names and messages are bounded and printable, and anything
unexpected is an error and never a pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never
from xml.etree import ElementTree

from bot.errors import SuiteError
from bot.models import CaseOutcome, CaseResult, ReportFormat
from bot.proof.cargo_cases import read_cargo_cases
from bot.proof.go_cases import read_go_cases
from bot.proof.javascript_cases import read_jest_cases, read_mocha_cases, read_node_cases
from bot.proof.junit import LONGEST_MESSAGE, LONGEST_NAME, MOST_CASES, JUnitReport, parse_junit, worse
from bot.text.sanitize import printable, printable_line

_TAGS = {CaseOutcome.FAILED: "failure", CaseOutcome.ERROR: "error", CaseOutcome.SKIPPED: "skipped"}


def read_cases(content: bytes, report_format: ReportFormat, root: str) -> JUnitReport:
    """Return the cases of a report. `root` is the folder of the tree, without which paths in it are named.

    Raises:
        SuiteError: this is no report of that format.
    """
    text = content.decode(errors="replace")
    match report_format:
        case ReportFormat.JUNIT | ReportFormat.SUREFIRE:
            return parse_junit(content)
        case ReportFormat.GO:
            return _bounded(read_go_cases(text))
        case ReportFormat.CARGO:
            return _bounded(read_cargo_cases(text))
        case ReportFormat.JEST:
            return _bounded(read_jest_cases(text, root))
        case ReportFormat.MOCHA:
            return _bounded(read_mocha_cases(text, root))
        case ReportFormat.NODE:
            return _bounded(read_node_cases(text, root))
        case _:
            assert_never(report_format)


def as_junit(cases: Iterable[CaseResult]) -> bytes:
    """Return cases as JUnit XML, the one format in which reports are kept."""
    suite = ElementTree.Element("testsuite")
    for case in cases:
        classname, _, name = case.name.rpartition("::")
        attributes = {"classname": classname, "name": name, "time": f"{case.seconds:.3f}"}
        element = ElementTree.SubElement(suite, "testcase", attributes)
        if case.outcome in _TAGS:
            ElementTree.SubElement(element, _TAGS[case.outcome], message=case.message)
    return ElementTree.tostring(suite, encoding="unicode").encode()


def _bounded(cases: list[CaseResult]) -> JUnitReport:
    if len(cases) > MOST_CASES:
        raise SuiteError(f"The report has more than {MOST_CASES:,} cases; it was not read.", hint="Run fewer tests.")
    by_name: dict[str, CaseResult] = {}
    for case in cases:
        name = printable_line(case.name, LONGEST_NAME)
        bounded = replace(case, name=name, message=printable(case.message, LONGEST_MESSAGE))
        by_name[name] = worse(by_name.get(name), bounded)
    return JUnitReport(tuple(by_name.values()), {})
