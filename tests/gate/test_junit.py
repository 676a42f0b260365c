"""Reports as pytest writes them, and reports as nobody should."""

from __future__ import annotations

import pytest

from bot.errors import SuiteError
from bot.gate.junit import parse_junit
from bot.model import CaseOutcome

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="2" skipped="1" tests="5">
<properties>
 <property name="device.kind" value="rocm"/><property name="device.name" value="AMD Instinct MI325X"/>
 <property name="device.arch" value="gfx942"/><property name="version.torch" value="2.9.0"/>
</properties>
<testcase classname="test_a" name="test_one[page16]" time="0.25">
 <properties><property name="past_end" value="240"/>
  <property name="buffer" value="cuda_graph_kv_indices"/></properties>
 <failure message="AssertionError: 240 elements past the end">trace</failure></testcase>
<testcase classname="test_a" name="test_two" time="0.1"/>
<testcase classname="test_a" name="test_three" time="0.0">
 <skipped type="pytest.skip" message="no such mode"/></testcase>
<testcase classname="test_a" name="test_four" time="0.0"><error message="failed on setup">trace</error></testcase>
<testcase classname="test_a" name="test_five" time="0.0"><skipped type="pytest.xfail" message=""/></testcase>
</testsuite></testsuites>"""


def test_cases_carry_outcome_message_and_figures() -> None:
    cases = {case.name: case for case in parse_junit(REPORT.encode()).cases}
    first = cases["test_a::test_one[page16]"]
    assert first.outcome is CaseOutcome.FAILED
    assert first.message == "AssertionError: 240 elements past the end"
    assert first.figures == {"past_end": "240", "buffer": "cuda_graph_kv_indices"}
    assert first.seconds == 0.25
    assert cases["test_a::test_two"].outcome is CaseOutcome.PASSED
    assert cases["test_a::test_three"].outcome is CaseOutcome.SKIPPED
    assert cases["test_a::test_four"].outcome is CaseOutcome.ERROR


def test_an_expected_failure_counts_as_failed() -> None:
    cases = {case.name: case for case in parse_junit(REPORT.encode()).cases}
    assert cases["test_a::test_five"].outcome is CaseOutcome.FAILED


def test_the_device_is_what_the_session_recorded() -> None:
    device = parse_junit(REPORT.encode()).device
    assert device is not None
    assert str(device) == "rocm (AMD Instinct MI325X, gfx942)"
    assert device.versions == {"torch": "2.9.0"}


def test_a_session_that_records_no_device_has_none() -> None:
    assert parse_junit(b"<testsuites><testsuite/></testsuites>").device is None


def test_a_case_reported_twice_keeps_its_worse_end() -> None:
    twice = """<testsuites><testsuite><testcase classname="t" name="a"/>
      <testcase classname="t" name="a"><error message="teardown"/></testcase></testsuite></testsuites>"""
    (case,) = parse_junit(twice.encode()).cases
    assert case.outcome is CaseOutcome.ERROR


@pytest.mark.parametrize(
    "xml",
    [b"", b"<testsuites>", b"not xml", b'<!DOCTYPE x [<!ENTITY a "b">]><testsuites/>'],
    ids=["empty", "cut-off", "text", "document-type"],
)
def test_what_pytest_did_not_write_is_refused(xml: bytes) -> None:
    with pytest.raises(SuiteError) as refused:
        parse_junit(xml)
    assert refused.value.hint
