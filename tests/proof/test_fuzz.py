"""Whatever a run leaves, reading it gives a report, a verdict, or an error of ours; no other error and no long wait."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import SuiteError
from bot.models import (
    CaseOutcome,
    CaseResult,
    CommandSuite,
    Device,
    KnownFailure,
    SuiteRun,
    Verdict,
    VerdictOutcome,
    silent,
)
from bot.proof.artifacts import VERDICT
from bot.proof.buffer_picture import render_buffers
from bot.proof.combine_verdicts import combine
from bot.proof.judge import judge_suite
from bot.proof.junit import JUnitReport, parse_junit
from bot.proof.process import ProcessResult
from bot.proof.progress import Reporter, last_case, last_lines
from bot.proof.verdict_json import verdict_to_json
from bot.proof.workflow_artifact import LARGEST, read_artifact
from bot.report.verdict_page import render_page

BOUNDED = settings(
    max_examples=150, deadline=timedelta(seconds=60), derandomize=True, suppress_health_check=list(HealthCheck)
)
SUITE = CommandSuite(
    name="s",
    command=("x",),
    overlay=("t.py",),
    known_failures=(KnownFailure("a*b*", "known"), KnownFailure("*", "k")),
)
TEXT = st.text(st.characters(exclude_categories=()), max_size=40) | st.sampled_from(
    [
        "",
        "nan",
        "inf",
        "1,234.5",
        "-1",
        "1e999",
        "9" * 400,
        "\u202e",
        "a::b",
        "a.b",
        "past_end",
        "device.kind",
        "]]>",
        "&e;",
    ]
)


def judged(base: SuiteRun, candidate: SuiteRun) -> None:
    """Take two runs all the way to what is written and shown of them."""
    verdict = combine({"s": judge_suite(SUITE, base, candidate)})
    render_page(verdict, picture=render_buffers(verdict)).encode()
    json.dumps(verdict_to_json(verdict), ensure_ascii=False).encode()


def run_of(report: JUnitReport, tree: str) -> SuiteRun:
    return SuiteRun(tree=tree, cases=report.cases, device=report.device, seconds=1.0)


# --- report XML ------------------------------------------------------------------------------------------------------

TAGS = (
    "testsuites",
    "testsuite",
    "testcase",
    "properties",
    "property",
    "failure",
    "error",
    "skipped",
    "system-out",
    "x",
)
ATTRIBUTES = ("name", "classname", "time", "message", "type", "value")


def _escaped(text: str) -> str:
    return "".join(f"&#{ord(character)};" if character in "<&'\"" else character for character in text)


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> str:
    tag = draw(st.sampled_from(TAGS))
    attributes = draw(st.dictionaries(st.sampled_from(ATTRIBUTES), TEXT, max_size=4))
    inside = draw(st.lists(elements(depth=depth - 1), max_size=3)) if depth else []
    attributes_text = "".join(f" {name}='{_escaped(value)}'" for name, value in attributes.items())
    return f"<{tag}{attributes_text}>{_escaped(draw(TEXT))}{''.join(inside)}</{tag}>"


HEADS = st.sampled_from(
    [
        "",
        "<?xml version='1.0'?>",
        *(
            f"<?xml version='1.0' encoding='{name}'?>"
            for name in ("utf-8", "utf-16", "latin-1", "cp1252", "big5", "foo", "utf-7", "hex")
        ),
        "<!DOCTYPE a [<!ENTITY e 'x'>]>",
    ]
)
ENCODINGS = st.sampled_from(["utf-8", "utf-16", "utf-16-le", "latin-1", "utf-8-sig"])


@BOUNDED
@given(HEADS, st.lists(elements(), min_size=2, max_size=2), ENCODINGS, st.binary(max_size=3), st.integers(0, 10_000))
def test_a_report_of_any_shape_gives_a_verdict_or_an_error_of_ours(
    head: str, bodies: list[str], encoding: str, noise: bytes, place: int
) -> None:
    reports = []
    for body in bodies:
        xml = f"{head}<testsuites>{body}</testsuites>".encode(encoding, "replace")
        cut_text = place % (len(xml) + 1)
        with contextlib.suppress(SuiteError):
            reports.append(parse_junit(xml[:cut_text] + noise + xml[cut_text:] if noise else xml))
    if len(reports) == 2:
        judged(run_of(reports[0], "base"), run_of(reports[1], "candidate"))


@BOUNDED
@given(st.binary(max_size=300))
def test_bytes_give_a_report_or_an_error_of_ours(xml: bytes) -> None:
    with contextlib.suppress(SuiteError):
        parse_junit(xml)


# --- artifact JSON ---------------------------------------------------------------------------------------------------

ODD: st.SearchStrategy[object] = st.sampled_from(
    [
        None,
        True,
        5,
        1.5,
        float("inf"),
        float("nan"),
        "",
        "\ud800",
        "\u0000",
        "\u202e",
        "x" * 10_000,
        [],
        [1],
        {},
        {"a": []},
        -1,
        "passed",
        "proven",
        10**400,
    ]
) | st.recursive(
    st.none() | st.booleans() | TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=5
)


def _run(tree: str, outcome: CaseOutcome) -> SuiteRun:
    figures = {"buffer": "b", "numel": "8", "needed": "9", "past_end": "1"}
    case = CaseResult(name="a::b", outcome=outcome, message="m", figures=figures)
    device = Device(kind="cpu", name="x", arch="y", versions={"a": "b"})
    return SuiteRun(tree=tree, commit="a" * 40, seconds=1.0, device=device, cases=(case,))


RECORD = verdict_to_json(
    Verdict(
        outcome=VerdictOutcome.PROVEN,
        reason="r",
        base=_run("base", CaseOutcome.FAILED),
        candidate=_run("candidate", CaseOutcome.PASSED),
        notes=("n",),
    )
)


def _places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if way:
        yield way
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from _places(inner, (*way, key))


def _archive(text: bytes, name: str = f"s/{VERDICT}") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return content.getvalue()


@BOUNDED
@given(
    st.lists(st.tuples(st.sampled_from(list(_places(RECORD))), ODD | st.just("take it out")), min_size=1, max_size=3)
)
def test_a_record_with_other_values_gives_a_verdict_or_an_error_of_ours(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    record = copy.deepcopy(RECORD)
    for way, value in changes:
        inner: Any = record
        with contextlib.suppress(LookupError, TypeError):  # an earlier change may have taken the place away
            for key in way[:-1]:
                inner = inner[key]
            if value == "take it out":
                del inner[way[-1]]
            else:
                inner[way[-1]] = value
    with contextlib.suppress(SuiteError):
        judged(*read_artifact(_archive(json.dumps(record).encode()))["s"])


@BOUNDED
@given(st.data())
def test_an_archive_with_other_bytes_gives_runs_or_an_error_of_ours(data: st.DataObject) -> None:
    archive = bytearray(_archive(json.dumps(RECORD).encode()))
    for _ in range(data.draw(st.integers(1, 4))):
        archive[data.draw(st.integers(0, len(archive) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(SuiteError):
        read_artifact(bytes(archive[: data.draw(st.integers(0, len(archive)))]))


@pytest.mark.parametrize(
    "archive",
    [
        _archive(b" " * (LARGEST + 1)),
        _archive(json.dumps({**RECORD, "base": {"cases": [{"figures": {"x" * 100_000: 1}}]}}).encode()),
        _archive(b"[" * 200_000),
        _archive(json.dumps(RECORD).encode(), f"../{VERDICT}"),
        _archive(json.dumps(RECORD).encode(), f"a/b/{VERDICT}"),
        b"PK",
        b"",
    ],
    ids=["too large", "a long key", "deep", "upwards", "below", "no archive", "nothing"],
)
def test_what_is_no_artifact_is_told_shortly(archive: bytes) -> None:
    with pytest.raises(SuiteError) as refused:
        read_artifact(archive)
    assert len(refused.value.message) < 500


# --- run output ------------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["a::b", "::", "PASSED", "A", "[", "]", "[ 12/345]", "[1/0]", "[" + "9" * 5000 + "/1]", "!", "Exit:", " "]
)
COUNTED = st.builds("a::{} PASSED {} [{}/{}]".format, TEXT, TEXT, st.integers(), st.integers())
LINES = st.lists(WORDS | TEXT, max_size=30).map(" ".join) | COUNTED


@BOUNDED
@given(st.lists(LINES, max_size=10))
def test_output_of_any_shape_is_followed(lines: list[str]) -> None:
    report = Reporter("base", silent)
    for line in lines:
        report(line)
    result = ProcessResult(1, tuple(lines), timed_out=False)
    assert isinstance(last_case(result) + last_lines(result), str)
