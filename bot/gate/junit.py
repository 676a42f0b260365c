"""JUnit XML, as pytest writes it → cases, and what the run said of itself.

Owns the reading of one report file that came out of a process running somebody's code: it is bounded in size, has no
document type, and anything unexpected is an error rather than a pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from bot.errors import SuiteError
from bot.model import CaseOutcome, CaseResult, Device
from bot.untrusted_files import NotPlain, TooLarge, read_file

LARGEST = 64 * 1024 * 1024
"""Bytes of a report that are still read."""

_SEVERITY = (CaseOutcome.PASSED, CaseOutcome.SKIPPED, CaseOutcome.FAILED, CaseOutcome.ERROR)


@dataclass(frozen=True, slots=True)
class Report:
    """The cases of one run, in the order they ran, and the properties its session recorded."""

    cases: tuple[CaseResult, ...]
    properties: Mapping[str, str]

    @property
    def device(self) -> Device | None:
        """Where the run says it ran: properties `device.kind`, `.name`, `.arch`, and `version.<what>`."""
        if "device.kind" not in self.properties:
            return None
        kind, name, arch = (self.properties.get(f"device.{key}", "") for key in ("kind", "name", "arch"))
        versions = {
            key.removeprefix("version."): value for key, value in self.properties.items() if key.startswith("version.")
        }
        return Device(kind=kind, name=name, arch=arch, versions=versions)


def read_report(folder: Path, name: str) -> bytes:
    """Return the bytes of a report below the folder of a run, which may have left anything there.

    Raises:
        FileNotFoundError: there is no such file, or it is no plain one.
        SuiteError: it is larger than LARGEST, or cannot be read.
    """
    try:
        return read_file(folder, name, largest=LARGEST)
    except NotPlain as error:
        raise FileNotFoundError(name) from error
    except TooLarge as error:
        raise SuiteError(f"The report is too large ({error}); it was not read.", hint=_HINT) from error
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SuiteError(f"The report cannot be read ({error.strerror}).", hint=_HINT) from error


def parse_junit(xml: bytes) -> Report:
    """Read a report. A case reported twice (a failure, then an error while tearing down) keeps its worse outcome.

    Raises SuiteError where this is no report that pytest wrote.
    """
    if len(xml) > LARGEST or b"<!DOCTYPE" in xml[:4096]:
        raise SuiteError("The report is too large or has a document type; it was not read.", hint=_HINT)
    try:
        root = ElementTree.fromstring(xml)  # noqa: S314 - bounded above, and expat bounds what entities expand to
    except ElementTree.ParseError as error:
        raise SuiteError(f"The report is not well-formed XML ({error}); it was not read.", hint=_HINT) from error
    cases: dict[str, CaseResult] = {}
    for case in _cases(root):
        known = cases.get(case.name)
        if known is None or _SEVERITY.index(case.outcome) > _SEVERITY.index(known.outcome):
            cases[case.name] = case
    return Report(tuple(cases.values()), _properties(root.find("testsuite/properties")))


_HINT = "Run the suite by hand with pytest --junitxml=report.xml and look at the file."


def _cases(root: ElementTree.Element) -> Iterator[CaseResult]:
    for element in root.iter("testcase"):
        outcome, message = _outcome(element)
        names = (element.get("classname", ""), element.get("name", ""))
        yield CaseResult(
            name="::".join(name for name in names if name),
            outcome=outcome,
            message=message,
            seconds=float(element.get("time", "0")),
            figures=_properties(element.find("properties")),
        )


def _outcome(element: ElementTree.Element) -> tuple[CaseOutcome, str]:
    """Read one case's end. An xfail is a failure: what is known to fail is declared in the patch, where all see it."""
    for tag, outcome in (
        ("error", CaseOutcome.ERROR),
        ("failure", CaseOutcome.FAILED),
        ("skipped", CaseOutcome.SKIPPED),
    ):
        found = element.find(tag)
        if found is not None:
            xfail = found.get("type") == "pytest.xfail"
            return CaseOutcome.FAILED if xfail else outcome, found.get("message", "")
    return CaseOutcome.PASSED, ""


def _properties(element: ElementTree.Element | None) -> dict[str, str]:
    if element is None:
        return {}
    return {each.get("name", ""): each.get("value", "") for each in element.iter("property")}
