"""Reads cases and properties from JUnit XML, as pytest writes it.

A process that ran untrusted code wrote the report. So its size and its number of cases are limited, it has no
document type, and anything unexpected is an error and never a pass. It is read as a stream of events: no tree is held
in memory, and other threads run meanwhile.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from bot.environment.untrusted_files import MIB, NotPlain, TooLarge, read_file
from bot.errors import SuiteError
from bot.models import CaseOutcome, CaseResult, Device
from bot.text.sanitize import printable, printable_line

LARGEST = 64 * 1024 * 1024
"""Bytes of a report that are still read."""

MOST_CASES, MOST_PROPERTIES = 200_000, 500_000
"""Of a report that is still read: what has more is no regression suite."""
COVERED_PREFIX = "covered."
"""How a run begins the name of a property that lists values it tried."""
LONGEST_NAME, LONGEST_MESSAGE = 1000, 4000
"""Characters; the rest is cut off."""
_LONGEST_NUMBER = 40
LONGEST_TAG = MIB
"""Bytes of a tag with its attributes: no other thread goes on while the parser reads one."""
_CHUNK = 64 * 1024

_SEVERITY = (CaseOutcome.PASSED, CaseOutcome.SKIPPED, CaseOutcome.FAILED, CaseOutcome.ERROR)


@dataclass(frozen=True, slots=True)
class JUnitReport:
    """The cases of one run, in the order they ran, and the properties its session recorded."""

    cases: tuple[CaseResult, ...]
    properties: Mapping[str, str]

    @property
    def device(self) -> Device | None:
        """The device that the run reports: properties `device.kind`, `.name`, `.arch`, and `version.<what>`."""
        if "device.kind" not in self.properties:
            return None
        kind, name, arch = (self.properties.get(f"device.{key}", "") for key in ("kind", "name", "arch"))
        versions = {
            key.removeprefix("version."): value for key, value in self.properties.items() if key.startswith("version.")
        }
        return Device(kind=kind, name=name, arch=arch, versions=versions)

    @property
    def covered(self) -> Mapping[str, str]:
        """The parameter values that the run reports: properties `covered.<parameter>`, each a list with commas."""
        keys = (key for key in self.properties if key.startswith(COVERED_PREFIX))
        return {key.removeprefix(COVERED_PREFIX): self.properties[key] for key in keys}


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


def parse_junit(xml: bytes) -> JUnitReport:
    """Read a report. A case reported twice (a failure, then an error while tearing down) keeps its worse outcome.

    Raises SuiteError where this is no report that pytest wrote.
    """
    if len(xml) > LARGEST:
        raise SuiteError("The report is too large; it was not read.", hint=_HINT)
    reader = _Reader()
    try:
        reader.parse(xml)
    except expat.ExpatError as error:
        raise SuiteError(f"The report is not well-formed XML ({error}); it was not read.", hint=_HINT) from error
    except (LookupError, ValueError) as error:  # of an encoding that Python does not know, or cannot give to expat
        raise SuiteError(f"The report's encoding cannot be read ({error}).", hint=_HINT) from error
    return JUnitReport(tuple(reader.cases.values()), reader.properties)


_HINT = "Run the suite by hand with pytest --junitxml=report.xml and look at the file."
_ENDS = {"error": CaseOutcome.ERROR, "failure": CaseOutcome.FAILED, "skipped": CaseOutcome.SKIPPED}


@dataclass(slots=True)
class _Case:
    """A case as far as it was read: what it is called, how it ended, and what was measured in it."""

    attributes: Mapping[str, str]
    ends: dict[str, Mapping[str, str]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)

    def result(self) -> CaseResult:
        outcome, message = self._outcome()
        names = (self.attributes.get("classname", ""), self.attributes.get("name", ""))
        return CaseResult(
            name=printable_line("::".join(name for name in names if name), LONGEST_NAME),
            outcome=outcome,
            message=printable(message, LONGEST_MESSAGE),
            seconds=_seconds(self.attributes.get("time", "")),
            figures=self.figures,
        )

    def _outcome(self) -> tuple[CaseOutcome, str]:
        """Return the end. An xfail is a failure: what is known to fail is declared in the patch, where all see it."""
        for tag, outcome in _ENDS.items():
            if tag in self.ends:
                end = self.ends[tag]
                xfail = end.get("type") == "pytest.xfail"
                message = end.get("message", "")
                cause = _cause(self.texts.get(tag, "")) if message.strip() in _SAYS_NOTHING else ""
                return CaseOutcome.FAILED if xfail else outcome, cause or message
        return CaseOutcome.PASSED, ""


class _Reader:
    """Takes a parser's events. The tags that count are `testcase`, its ends, and `property`."""

    def __init__(self) -> None:
        self.cases: dict[str, CaseResult] = {}
        self.properties: dict[str, str] = {}
        self._open: list[_Case] = []
        self._number = {"testcase": 0, "property": 0}
        self._ending = ""

    def parse(self, xml: bytes) -> None:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = _refuse_document_type
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        # expat holds the interpreter lock during a call, so a call gets only a part of the report.
        for start in range(0, len(xml), _CHUNK):
            chunk = xml[start : start + _CHUNK]
            parser.Parse(chunk, False)
            if start + len(chunk) - parser.CurrentByteIndex > LONGEST_TAG:
                raise SuiteError(
                    f"The report has a tag of more than {LONGEST_TAG // MIB} MiB; it was not read.", hint=_HINT
                )
        parser.Parse(b"", True)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in self._number:
            self._count(tag)
        if tag == "testcase":
            self._open.append(_Case(attributes))
        elif tag == "property":
            properties = self._open[-1].figures if self._open else self.properties
            name, value = attributes.get("name", ""), attributes.get("value", "")
            properties[printable_line(name, LONGEST_NAME)] = printable(value, LONGEST_MESSAGE)
        elif tag in _ENDS and self._open:
            self._open[-1].ends.setdefault(tag, attributes)
            self._ending = tag

    def _count(self, tag: str) -> None:
        self._number[tag] += 1
        if self._number["testcase"] > MOST_CASES or self._number["property"] > MOST_PROPERTIES:
            limits = f"{MOST_CASES:,} cases or {MOST_PROPERTIES:,} properties"
            raise SuiteError(f"The report has more than {limits}; it was not read.", hint=_HINT)

    def _text(self, text: str) -> None:
        """Keep the end of what stands in a failure: a traceback has its error there."""
        if self._ending and self._open:
            texts = self._open[-1].texts
            texts[self._ending] = (texts.get(self._ending, "") + text)[-LONGEST_MESSAGE:]

    def _end(self, tag: str) -> None:
        if tag == self._ending:
            self._ending = ""
        if tag != "testcase":
            return
        case = self._open.pop().result()
        self.cases[case.name] = worse(self.cases.get(case.name), case)


_SAYS_NOTHING = ("", "collection failure", "collection skipped")
"""Messages of pytest that leave the reason to the text of the element."""
_ERROR_LINE = re.compile(r"^E\s+(?P<error>\S.*)$", re.MULTILINE)


def _cause(text: str) -> str:
    """Return the error in a traceback of pytest, which begins its lines with E; else the last line of a text."""
    errors = [match["error"] for match in _ERROR_LINE.finditer(text)]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return errors[-1] if errors else lines[-1] if lines else ""


def worse(earlier: CaseResult | None, case: CaseResult) -> CaseResult:
    """Return the worse of two results of one case, or the first of two equal ones."""
    if earlier is None or _SEVERITY.index(case.outcome) > _SEVERITY.index(earlier.outcome):
        return case
    return earlier


def _refuse_document_type(*_: object) -> None:
    """Refuse it when the parser meets it, wherever that is and in whichever encoding: it may declare entities."""
    raise SuiteError("The report has a document type; it was not read.", hint=_HINT)


def bounded_seconds(value: object, unit: float = 1.0) -> float:
    """Return a time that a report gives as a number, in seconds; 0 for what is no time. `unit` is in seconds."""
    try:
        seconds = float(value) * unit if isinstance(value, int | float) else 0.0
    except OverflowError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds >= 0 else 0.0


def _seconds(text: str) -> float:
    """Read a case's time, which is only shown: what is no time is 0. Some reporters write 1,234.5."""
    try:
        seconds = float(text.replace(",", "")) if len(text) <= _LONGEST_NUMBER else 0.0
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds >= 0 else 0.0
