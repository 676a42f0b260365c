"""Reports as pytest writes them, and reports as nobody should."""

from __future__ import annotations

import pytest

from bot.errors import SuiteError
from bot.models import CaseOutcome
from bot.proof.junit import LONGEST_MESSAGE, LONGEST_NAME, MOST_CASES, MOST_PROPERTIES, parse_junit

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


DECLARED = "<!DOCTYPE a [<!ENTITY e 'expanded'>]><testsuites><testsuite><testcase name='&e;'/></testsuite></testsuites>"
UTF16 = "<?xml version='1.0' encoding='UTF-16'?>"


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"<testsuites>",
        b"not xml",
        b'<!DOCTYPE x [<!ENTITY a "b">]><testsuites/>',
        b"<?xml version='1.0'?>" + b" " * 70_000 + DECLARED.encode(),
        (UTF16 + DECLARED).encode("utf-16"),
        (UTF16 + " " * 70_000 + DECLARED).encode("utf-16-be"),
        b"<?xml version='1.0' encoding='ebcdic-cp-us'?><testsuites/>",
        b"<?xml version='1.0' encoding='big5'?><testsuites/>",
        b"<?xml version='1.0' encoding='foo'?><testsuites/>",
        b"<testsuites><testcase name='&#xFFFE;'/></testsuites>",
        b"<testsuites><testcase name='&#0;'/></testsuites>",
        b"<testsuites><testcase name='&unknown;'/></testsuites>",
    ],
    ids=[
        *("empty", "cut-off", "text", "document-type", "document-type-behind-blanks", "document-type-in-utf-16"),
        *("document-type-in-utf-16-behind-blanks", "ebcdic", "big5", "no-encoding", "no-character", "nul", "no-entity"),
    ],
)
def test_what_pytest_did_not_write_is_refused(xml: bytes) -> None:
    with pytest.raises(SuiteError) as refused:
        parse_junit(xml)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        *(("0.25", 0.25), ("1,234.5", 1234.5), ("", 0.0), ("nan", 0.0), ("inf", 0.0), ("-1", 0.0), ("soon", 0.0)),
        *(("1e400", 0.0), ("9" * 5000, 0.0)),
    ],
)
def test_a_time_that_is_none_is_zero(time: str, seconds: float) -> None:
    (case,) = parse_junit(f"<testsuites><testcase name='a' time='{time}'/></testsuites>".encode()).cases
    assert case.seconds == seconds


def test_a_report_in_another_encoding_is_read() -> None:
    (case,) = parse_junit((UTF16 + "<testsuites><testcase name='é'/></testsuites>").encode("utf-16")).cases
    assert case.name == "é"


@pytest.mark.parametrize("name", ["a&#10;b", "a&#9;b", "a\u0085b", "a\u202eb", "a\u2028b", "a\x7fb"])
def test_a_name_holds_nothing_that_cannot_be_shown_on_one_line(name: str) -> None:
    (case,) = parse_junit(f"<testsuites><testcase name='{name}'/></testsuites>".encode()).cases
    assert case.name in ("a b", "a\N{REPLACEMENT CHARACTER}b")


def test_names_and_messages_are_cut_off() -> None:
    text = "x" * 100_000
    xml = f"<testsuites><testcase name='{text}'><failure message='{text}'/></testcase></testsuites>"
    (case,) = parse_junit(xml.encode()).cases
    assert (len(case.name), len(case.message)) == (LONGEST_NAME, LONGEST_MESSAGE)


def test_a_case_inside_another_hides_nothing() -> None:
    xml = b"<testsuites><testcase name='a'><failure/><testcase name='b'/></testcase></testsuites>"
    assert {case.name: case.outcome for case in parse_junit(xml).cases} == {
        "a": CaseOutcome.FAILED,
        "b": CaseOutcome.PASSED,
    }


def test_more_cases_than_any_suite_has_are_not_read() -> None:
    with pytest.raises(SuiteError, match="more than"):
        parse_junit(b"<testsuites>" + b"<testcase/>" * (MOST_CASES + 1) + b"</testsuites>")


def test_more_properties_than_any_suite_has_are_not_read() -> None:
    with pytest.raises(SuiteError, match="more than"):
        parse_junit(b"<testsuites>" + b"<property/>" * (MOST_PROPERTIES + 1) + b"</testsuites>")


def test_elements_nested_a_hundred_thousand_times_are_read() -> None:
    xml = b"<testsuites>" + b"<a>" * 100_000 + b"<testcase name='a'/>" + b"</a>" * 100_000 + b"</testsuites>"
    assert [case.name for case in parse_junit(xml).cases] == ["a"]


@pytest.mark.parametrize(
    "tag",
    [
        b"<testcase " + b" ".join(b'a%d=""' % number for number in range(500_000)) + b"/>",
        b'<testcase name="' + b"&lt;" * 2_000_000 + b'"/>',
        b"<" + b"x" * 5_000_000,
    ],
    ids=["attributes", "one attribute", "a name without an end"],
)
def test_a_tag_that_would_stop_other_threads_is_not_read(tag: bytes) -> None:
    with pytest.raises(SuiteError, match="a tag of more than 1 MiB"):
        parse_junit(b"<testsuites>" + tag + b"</testsuites>")


def test_a_long_text_is_no_long_tag() -> None:
    text = b"line\n" * 1_000_000
    report = parse_junit(
        b'<testsuites><testcase name="a"><failure message="m">' + text + b"</failure></testcase></testsuites>"
    )
    assert [case.outcome for case in report.cases] == [CaseOutcome.FAILED]
