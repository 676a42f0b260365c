"""The sentence for what a test run lacked, from the words that real tools print."""

from __future__ import annotations

import pytest

from bot.models import CaseOutcome, CaseResult, SuiteRun, VerdictOutcome
from bot.proof.explain_failure import first_error, lines_that_matter, remedies, run_remedies
from bot.proof.judge import judge
from bot.proof.junit import parse_junit


@pytest.mark.parametrize(
    ("text", "name", "key"),
    [
        ("E   ModuleNotFoundError: No module named 'attr.validators'", "`attr.validators`", "`prove.setup`"),
        ("/usr/bin/python3: No module named pytest", "`pytest`", "`prove.python`"),
        ("E       fixture 'mocker' not found", "`mocker`", "`prove.setup`"),
        (
            "ERROR: Package 'ring' requires a different Python: 3.11.7 not in '>=3.13'",
            "`>=3.13`",
            "`prove.python`",
        ),
        ("error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory", "`gcc`", "`prove.containers`"),
        ("error: linker `cc` not found", "`cc`", "`prove.containers`"),
        ('cgo: C compiler "gcc" not found: exec: "gcc": executable file not found in $PATH', "`gcc`", "runner"),
        ("Error: Cannot find module 'left-pad'", "`left-pad`", "`prove.setup`"),
        (
            "Error [ERR_MODULE_NOT_FOUND]: Cannot find package '@a/b' imported from /t/a.test.js",
            "`@a/b`",
            "`prove.setup`",
        ),
        (
            "ring_test.go:6:2: no required module provides package github.com/google/go-cmp/cmp; to add it:",
            "`github.com/google/go-cmp/cmp`",
            "`prove.setup`",
        ),
        ("error: no matching package named `serde` found", "`serde`", "`prove.setup`"),
        ("sh: 1: go: not found", "`go`", "`prove.containers`"),
        ("bash: line 1: tox: command not found", "`tox`", "`prove.containers`"),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "name resolution", "`prove.network`"),
        ("npm error getaddrinfo EAI_AGAIN registry.npmjs.org", "`EAI_AGAIN`", "`prove.network`"),
    ],
)
def test_a_known_cause_gets_its_name_and_the_key_that_mends_it(text: str, name: str, key: str) -> None:
    sentence = " ".join(remedies(text))
    assert name in sentence
    assert key in sentence


@pytest.mark.parametrize("text", ["", "assert 1 == 2", "AssertionError: not found", "404 not found", "KeyError: 'x'"])
def test_an_ordinary_failure_gets_no_sentence(text: str) -> None:
    assert remedies(text) == []


def test_hostile_text_gives_few_and_short_sentences() -> None:
    text = "\n".join(f"No module named 'x{number}{'y' * 500}'" for number in range(1000))
    sentences = remedies(text)
    assert len(sentences) == 3
    assert all(len(sentence) < 400 for sentence in sentences)


def test_the_error_of_a_collection_failure_is_told_and_not_that_it_is_one() -> None:
    xml = (
        '<testsuite><testcase classname="" name="tests.test_ring"><error message="collection failure">'
        "ImportError while importing test module '/t/tests/test_ring.py'.\nTraceback:\n"
        "tests/test_ring.py:1: in &lt;module&gt;\n    import numpy\n"
        "E   ModuleNotFoundError: No module named 'numpy'</error></testcase></testsuite>"
    )
    (case,) = parse_junit(xml.encode()).cases
    assert case.message == "ModuleNotFoundError: No module named 'numpy'"
    run = SuiteRun(tree="base", cases=(case,), device=None, seconds=1.0)
    verdict = judge(run, run)
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert verdict.reason.endswith("(tests.test_ring): ModuleNotFoundError: No module named 'numpy'.")
    assert "`numpy`" in run_remedies(run)[0]


def test_a_message_that_says_something_is_kept() -> None:
    xml = '<testsuite><testcase name="a"><failure message="assert 1 == 2">E   other</failure></testcase></testsuite>'
    assert parse_junit(xml.encode()).cases[0].message == "assert 1 == 2"


def test_only_cases_that_could_not_be_judged_are_looked_at() -> None:
    failed = CaseResult(name="a", outcome=CaseOutcome.FAILED, message="No module named 'x'")
    assert run_remedies(SuiteRun(tree="base", cases=(failed,), device=None, seconds=1.0)) == []


def test_of_a_long_output_the_lines_that_matter_are_told() -> None:
    """As Maven ends: the advice comes last."""
    lines = ["[INFO] Compiling", "[WARNING] error-prone is off", "", "[ERROR] RingTest.java:[6,45] cannot find symbol"]
    assert lines_that_matter([*lines, *["[INFO] Re-run Maven with -e"] * 9]) == [lines[-1]]
    assert lines_that_matter(["one", " two "]) == ["one", "two"]
    assert lines_that_matter([]) == []


def test_the_line_with_the_error_is_the_one_that_is_told() -> None:
    assert first_error(["", "node:internal/x:1\n  throw err;\n\nError: Cannot find module './a'."]) == (
        "Error: Cannot find module './a'"
    )
    assert first_error(["one\ntwo"]) == "one"
    assert first_error([]) == ""
