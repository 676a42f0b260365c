"""How the cost of reading and judging a run grows with what the run left: in line with its size, or this fails.

    make bench

The texts are the worst that we know for what reads them: each was quadratic for an obvious way of writing it.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from bot.errors import SuiteError
from bot.models import CaseOutcome, CaseResult, CommandSuite, KnownFailure, SuiteRun, Verdict, silent
from bot.proof.buffer_picture import render_buffers
from bot.proof.combine_verdicts import combine
from bot.proof.judge import judge_suite
from bot.proof.junit import parse_junit
from bot.proof.process import ProcessResult
from bot.proof.progress import Reporter, last_case, last_lines
from bot.proof.verdict_json import verdict_from_json, verdict_to_json
from bot.report.verdict_page import render_page
from bot.text.globs import matches_stars
from bot.text.sanitize import printable_line
from tests.bench.growth import assert_linear

FAILED, PASSED, ERROR = CaseOutcome.FAILED, CaseOutcome.PASSED, CaseOutcome.ERROR
OWN = CommandSuite(
    name="own", command=("x",), overlay=("tests/test_a.py",), known_failures=(KnownFailure("*x*y*", "r"),)
)
Runs = tuple[SuiteRun, SuiteRun]


def _run(tree: str, names: list[str], outcome: CaseOutcome) -> SuiteRun:
    figures = {"buffer": "b", "numel": "8", "needed": "9", "past_end": "1"}
    cases = tuple(CaseResult(name=name, outcome=outcome, message="m", figures=figures) for name in names)
    return SuiteRun(tree=tree, cases=cases, device=None, seconds=1.0)


def _alike(size: int) -> Runs:
    names = [f"t.test_a::test_it[{number}]" for number in range(size)]
    return _run("base", names, FAILED), _run("candidate", names, PASSED)


def _not_collected(size: int) -> Runs:
    files = [f"t.test_{number}" for number in range(size)]
    return _run("base", files, ERROR), _run("candidate", [f"{file}::test_it" for file in files], PASSED)


def _nested(size: int) -> Runs:
    """Errors of packages inside each other, each of which has every case inside."""
    packages = [".".join("p" * (depth + 1)) for depth in range(50)]
    inside = [f"{packages[-1]}::test_{number}" for number in range(size)]
    return _run("base", packages + [f"q{number}" for number in range(size)], ERROR), _run("candidate", inside, PASSED)


@pytest.mark.parametrize("make", [_alike, _not_collected, _nested])
def test_judging(make: Callable[[int], Runs]) -> None:
    assert_linear(lambda runs: judge_suite(OWN, *runs), make)


def _verdict(size: int) -> Verdict:
    return judge_suite(OWN, *_alike(size))


@pytest.mark.parametrize(
    "work",
    [
        lambda verdict: combine({"one": verdict, "two": verdict}),
        render_page,
        render_buffers,
        lambda verdict: verdict_from_json(_as_json(verdict)),
    ],
    ids=["combine", "page", "picture", "record"],
)
def test_showing_a_verdict(work: Callable[[Verdict], object]) -> None:
    assert_linear(work, _verdict, first=64, largest=1 << 15)


def _as_json(verdict: Verdict) -> bytes:
    return json.dumps(verdict_to_json(verdict)).encode()


@pytest.mark.parametrize(
    "part",
    [
        "<testcase name='a' classname='b' time='1'/>",
        "<testcase><failure message='m'>text</failure>",
        "<a>",
        "<a b='c'/>",
        "<!-- -->",
        "<![CDATA[x]]>",
        "&#10;",
        " ",
    ],
)
def test_reading_a_report(part: str) -> None:
    def read(xml: bytes) -> object:
        try:
            return parse_junit(xml)
        except SuiteError as error:
            return error

    assert_linear(read, lambda size: f"<testsuites>{part * size}".encode(), largest=1 << 20)


@pytest.mark.parametrize(
    "unit", ["a::b ", " A", "A", "[", "[1/", "::", "! ", "Exit: ", " PASSED [1/2]", "\x1b", "\ud800", "\n"]
)
def test_reading_a_line_of_output(unit: str) -> None:
    def follow(line: str) -> object:
        Reporter("base", silent)(line)
        result = ProcessResult(1, (line,), timed_out=False)
        return last_case(result), last_lines(result), printable_line(line, len(line))

    assert_linear(follow, lambda size: "a::b" + unit * size)


@pytest.mark.parametrize("unit", ["a", "ab", "x", "xy", " "])
def test_looking_whether_a_failure_is_declared(unit: str) -> None:
    assert_linear(lambda name: matches_stars("*a*a*a*x*x*y*", name), lambda size: unit * size)
