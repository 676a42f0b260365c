"""The reports of other languages' test runners, read from what real ones wrote (tests/proof/recorded)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SuiteError
from bot.models import BUILD, CaseOutcome, ReportFormat
from bot.proof.case_reports import as_junit, read_cases
from bot.proof.junit import parse_junit

RECORDED = Path(__file__).with_name("recorded")
PASSED, FAILED, ERROR, SKIPPED = CaseOutcome.PASSED, CaseOutcome.FAILED, CaseOutcome.ERROR, CaseOutcome.SKIPPED
RING = "example.com/widget/ring"


def outcomes(file: str, report_format: ReportFormat, root: str = "") -> dict[str, CaseOutcome]:
    report = read_cases((RECORDED / file).read_bytes(), report_format, root)
    return {case.name: case.outcome for case in report.cases}


def message(file: str, report_format: ReportFormat, name: str, root: str = "") -> str:
    report = read_cases((RECORDED / file).read_bytes(), report_format, root)
    return next(case.message for case in report.cases if case.name == name)


def test_go_s_events_become_cases_and_a_package_that_does_not_build_an_error() -> None:
    assert outcomes("go-1.19.txt", ReportFormat.GO) == {
        f"{RING}::TestSmall": PASSED,
        f"{RING}::TestArea/flat": FAILED,
        f"{RING}::TestArea/square_one": FAILED,
        f"{RING}::TestSkipped": SKIPPED,
        "example.com/widget/broken": ERROR,
        "example.com/widget/panics::TestPanics": FAILED,
    }
    assert "area: -1" in message("go-1.19.txt", ReportFormat.GO, f"{RING}::TestArea/flat")
    assert "undefined: Perimeter" in message("go-1.19.txt", ReportFormat.GO, "example.com/widget/broken")
    assert "no ring" in message("go-1.19.txt", ReportFormat.GO, "example.com/widget/panics::TestPanics")


def test_go_since_1_24_writes_the_compiler_s_lines_as_events() -> None:
    """The shape is documented: https://pkg.go.dev/cmd/go#hdr-Build__json_encoding."""
    text = (
        '{"ImportPath":"a/b [a/b.test]","Action":"build-output","Output":"./b_test.go:5: undefined: New\\n"}\n'
        '{"ImportPath":"a/b [a/b.test]","Action":"build-fail"}\n'
        '{"Action":"start","Package":"a/b"}\n'
        '{"Action":"output","Package":"a/b","Output":"FAIL\\ta/b [build failed]\\n"}\n'
        '{"Action":"fail","Package":"a/b","Elapsed":0,"FailedBuild":"a/b [a/b.test]"}\n'
    )
    (case,) = read_cases(text.encode(), ReportFormat.GO, "").cases
    assert (case.name, case.outcome) == ("a/b", ERROR)
    assert case.message == "./b_test.go:5: undefined: New"


def test_cargo_s_lines_become_cases_named_by_crate_and_path() -> None:
    assert outcomes("cargo-1.95.txt", ReportFormat.CARGO) == {
        "widget_ring::tests::small": PASSED,
        "widget_ring::tests::flat": FAILED,
        "widget_ring::tests::large": SKIPPED,
        "outside::square": PASSED,
        "outside::flat": FAILED,
        "outside::prints": PASSED,
        "outside::panics": PASSED,
    }
    assert "left: 5" in message("cargo-1.95.txt", ReportFormat.CARGO, "outside::flat")


def test_what_a_child_process_prints_between_a_test_and_its_end_loses_no_case() -> None:
    binary = "     Running unittests src/lib.rs (target/debug/deps/ring-0123456789abcdef)"
    text = f"{binary}\ntest a ... noise\nmore\nok\ntest b ... ok\n"
    cases = read_cases(text.encode(), ReportFormat.CARGO, "").cases
    assert [(case.name, case.outcome) for case in cases] == [("ring::a", PASSED), ("ring::b", PASSED)]


def test_a_crate_that_does_not_compile_is_one_error_with_the_compiler_s_words() -> None:
    assert outcomes("cargo-1.95-unbuilt.txt", ReportFormat.CARGO) == {BUILD: ERROR}
    assert "cannot find function `perimeter`" in message("cargo-1.95-unbuilt.txt", ReportFormat.CARGO, BUILD)


JAVASCRIPT = {"test/ring.test.js::rings::square": PASSED, "test/ring.test.js::flat": FAILED}


@pytest.mark.parametrize("file", ["jest-30.json", "vitest-4.json"])
def test_jest_and_vitest_name_cases_by_file_and_a_file_that_does_not_load_is_an_error(file: str) -> None:
    root = "/tmp/prove/rec/tree"
    broken = "test/broken.test.js"
    expected = {**JAVASCRIPT, "test/ring.test.js::later": SKIPPED, broken: ERROR}
    assert outcomes(file, ReportFormat.JEST, root) == expected
    assert "Cannot find module './missing'" in message(file, ReportFormat.JEST, broken, root)


def test_mocha_s_json_becomes_cases() -> None:
    assert outcomes("mocha-12.json", ReportFormat.MOCHA, "/tmp/prove/rec/tree") == {
        "test/ring.js::flat": FAILED,
        "test/ring.js::later": SKIPPED,
        "test/ring.js::rings square": PASSED,
    }


def test_node_s_own_runner_becomes_cases_by_the_bot_s_reporter() -> None:
    assert outcomes("node-20.txt", ReportFormat.NODE, "/tmp/prove/rec/n") == {
        "test/broken.test.js": ERROR,
        "test/ring.test.js::square": PASSED,
        "test/ring.test.js::rings::flat": FAILED,
        "test/ring.test.js::later": SKIPPED,
        "test/ring.test.js::suite::inside": PASSED,
    }
    text = message("node-20.txt", ReportFormat.NODE, "test/broken.test.js", "/tmp/prove/rec/n")
    assert "Cannot find module './missing'" in text


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_reporter_runs_in_the_node_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "ring.test.js").write_text(
        "const test = require('node:test');\n"
        "test('rings', async (t) => { await t.test('flat', () => { throw new Error('no'); }); });\n"
    )
    reporter = Path(read_cases.__code__.co_filename).with_name("node_reporter.mjs")
    report = tmp_path / "report"
    options = [f"--test-reporter={reporter}", f"--test-reporter-destination={report}"]
    environment = {name: value for name, value in os.environ.items() if name != "NODE_TEST_CONTEXT"}
    subprocess.run(["node", "--test", *options, "ring.test.js"], cwd=tmp_path, env=environment, check=False)
    cases = read_cases(report.read_bytes(), ReportFormat.NODE, str(tmp_path)).cases
    assert [(case.name, case.outcome) for case in cases] == [("ring.test.js::rings::flat", FAILED)]


@pytest.mark.parametrize("report_format", [ReportFormat.JEST, ReportFormat.MOCHA, ReportFormat.NODE])
@pytest.mark.parametrize("content", [b"<xml/>", b"[]", b"null", b"[" * 100_000])
def test_what_is_no_report_is_an_error_and_never_a_pass(report_format: ReportFormat, content: bytes) -> None:
    with pytest.raises(SuiteError, match="it was not read"):
        read_cases(content, report_format, "")


@given(st.binary(max_size=300), st.sampled_from([each for each in ReportFormat if each is not ReportFormat.SUREFIRE]))
def test_any_bytes_give_cases_or_an_error_of_the_bot(content: bytes, report_format: ReportFormat) -> None:
    try:
        report = read_cases(content, report_format, "/tree")
    except SuiteError:
        return
    assert len({case.name for case in report.cases}) == len(report.cases)


_SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["testResults", "assertionResults", "tests", "pending", "name", "file", "err", "path", "status"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_SHAPES, st.sampled_from([ReportFormat.JEST, ReportFormat.MOCHA, ReportFormat.NODE]))
def test_any_shape_of_json_gives_cases_or_an_error_of_the_bot(document: object, report_format: ReportFormat) -> None:
    try:
        read_cases(json.dumps(document).encode(), report_format, "/tree")
    except SuiteError:
        return


@pytest.mark.parametrize("duration", ["1e999", "-1", "9" * 4000, "NaN"])
def test_a_time_that_is_none_is_zero(duration: str) -> None:
    text = f'{{"testResults": [{{"name": "a", "assertionResults": [{{"title": "t", "duration": {duration}}}]}}]}}'
    (case,) = read_cases(text.encode(), ReportFormat.JEST, "").cases
    assert case.seconds == 0


def test_cases_of_any_format_are_kept_as_junit() -> None:
    cases = read_cases((RECORDED / "go-1.19.txt").read_bytes(), ReportFormat.GO, "").cases
    again = parse_junit(as_junit(cases)).cases
    assert [(case.name, case.outcome) for case in again] == [(case.name, case.outcome) for case in cases]
