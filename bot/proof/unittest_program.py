"""Runs unittest, or a program that uses it such as Django's manage.py, and writes JUnit XML.

Usage: python -c TEXT REPORT unittest FILE…, or python -c TEXT REPORT manage.py test LABEL…. Any interpreter runs it.
"""

from __future__ import annotations

import re
import runpy
import sys
import time
import unittest
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from types import TracebackType
    from unittest import TestCase

    OptExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


CASES: list[tuple[str, str, str, float]] = []
"""Name, tag, message and seconds of each test that ended."""
LABELS = [word.removesuffix(".py").replace("/", ".") for word in sys.argv[3:]]
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class RecordingResult(unittest.TextTestResult):
    """Keeps how each test ended. An expected failure counts as one, as for pytest's cases."""

    _started = 0.0

    def startTest(self, test: TestCase) -> None:  # noqa: N802
        self._started = time.monotonic()
        super().startTest(test)

    def _record(self, test: TestCase, tag: str = "", message: str = "") -> None:
        CASES.append((_name(test.id()), tag, message, time.monotonic() - self._started))

    def addSuccess(self, test: TestCase) -> None:  # noqa: N802
        super().addSuccess(test)
        self._record(test)

    def addError(self, test: TestCase, err: OptExcInfo) -> None:  # noqa: N802
        super().addError(test, err)
        self._record(test, "error", self.errors[-1][1])

    def addFailure(self, test: TestCase, err: OptExcInfo) -> None:  # noqa: N802
        super().addFailure(test, err)
        self._record(test, "failure", self.failures[-1][1])

    def addSubTest(self, test: TestCase, subtest: TestCase, err: OptExcInfo | None) -> None:  # noqa: N802
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._record(test, "failure", "".join(map(str, err[1:2])))

    def addSkip(self, test: TestCase, reason: str) -> None:  # noqa: N802
        super().addSkip(test, reason)
        self._record(test, "skipped", reason)

    def addExpectedFailure(self, test: TestCase, err: OptExcInfo) -> None:  # noqa: N802
        super().addExpectedFailure(test, err)
        self._record(test, "failure", "failed, as expected")

    def addUnexpectedSuccess(self, test: TestCase) -> None:  # noqa: N802
        super().addUnexpectedSuccess(test)
        self._record(test, "failure", "passed, which was not expected")


def _name(identity: str) -> str:
    """Name a test; a module that cannot be imported has the name of its label, like a package around its tests."""
    kind, _, module = identity.partition("._FailedTest.")
    if kind != "unittest.loader":
        return identity
    return next((label for label in LABELS if label == module or label.endswith(f".{module}")), module)


def write(report: str) -> None:
    """Write the report."""
    suite = ElementTree.Element("testsuite")
    for name, tag, message, seconds in CASES:
        classname, _, test = name.rpartition(".")
        attributes = {"classname": classname, "name": test, "time": f"{seconds:.3f}"}
        case = ElementTree.SubElement(suite, "testcase", attributes)
        if tag:
            ElementTree.SubElement(case, tag, message=_NO_XML.sub("?", message.strip()))
    ElementTree.ElementTree(suite).write(report, encoding="utf-8", xml_declaration=True)


if __name__ == "__main__":
    report, program, *words = sys.argv[1:]
    sys.argv = [program, *words]
    sys.path.insert(0, str(Path.cwd()))
    unittest.TextTestRunner.resultclass = RecordingResult  # type: ignore[assignment]
    try:
        if program == "unittest":
            unittest.main(module=None, argv=sys.argv)
        else:
            runpy.run_path(program, run_name="__main__")
    finally:
        write(report)
