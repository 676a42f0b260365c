"""A suite whose cases die in every way a process can: each is a failing case, and the others run."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from bot.gate.suite import run_suite
from bot.model import CaseOutcome, CaseResult, Suite, SuiteRun

ROOT = Path(__file__).parents[2]
CONFTEST = """
    pytest_plugins = ["isolated.plugin"]
    import os, time, pytest
    os.environ["SUITE_CASE_SECONDS"] = "2"

    def pytest_case_process_start():
        return {"device.kind": "cpu", "device.name": "none", "device.arch": "none"}

    @pytest.fixture(autouse=True)
    def process(record_property):
        record_property("process", os.getpid())
        record_property("began", time.monotonic())

    def pytest_case_process_lost(item):
        return "the device faulted: out of bounds" if "lose" in item.name else None
"""
CASES = """
    import ctypes, os, time, pytest

    def test_first(): pass

    def test_aborts():
        os.write(2, b"HSA_STATUS_ERROR_MEMORY_APERTURE_VIOLATION\\n")
        os.abort()

    def test_between(record_property):
        record_property("numel", 16)

    def test_reads_nowhere(): ctypes.string_at(0)
    def test_leaves(): os._exit(0)
    def test_hangs(): time.sleep(60)
    def test_loses_the_device(): pass
    def test_fails(): assert 1 == 2
    def test_last(): pass

    @pytest.mark.apart
    def test_apart(): pass

    @pytest.mark.apart
    def test_aborts_apart(): os.abort()

    @pytest.mark.apart
    def test_goes_on_apart(): pass
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> SuiteRun:
    folder, tree = tmp_path_factory.mktemp("suite"), tmp_path_factory.mktemp("tree")
    (folder / "conftest.py").write_text(textwrap.dedent(CONFTEST), encoding="utf-8")
    (folder / "test_it.py").write_text(textwrap.dedent(CASES), encoding="utf-8")
    suite = Suite(name="it", directory=folder, import_paths=(ROOT / "patches/harness",), timeout=60)
    return run_suite(tree, suite, name="base")


def case(run: SuiteRun, name: str) -> CaseResult:
    return next(each for each in run.cases if each.name.endswith(name))


def test_the_run_is_whole_and_names_its_device(ended: SuiteRun) -> None:
    assert ended.problem == ""
    assert len(ended.cases) == 12
    assert ended.device is not None
    assert ended.device.kind == "cpu"


@pytest.mark.parametrize("name", ["test_first", "test_between", "test_last", "test_apart", "test_goes_on_apart"])
def test_cases_beside_a_dying_one_pass(ended: SuiteRun, name: str) -> None:
    assert case(ended, name).outcome is CaseOutcome.PASSED


def test_figures_come_home(ended: SuiteRun) -> None:
    assert case(ended, "test_between").figures["numel"] == "16"


def test_a_case_after_a_dying_one_has_a_process_of_its_own(ended: SuiteRun) -> None:
    names = ("test_first", "test_between", "test_loses_the_device", "test_fails", "test_last")
    first, between, loses, fails, last = (case(ended, name).figures["process"] for name in names)
    assert len({first, between, loses, fails}) == 4
    assert fails == last


def test_cases_apart_have_a_process_beside_the_others(ended: SuiteRun) -> None:
    others = {case(ended, name).figures["process"] for name in ("test_first", "test_between", "test_last")}
    apart = [case(ended, name) for name in ("test_apart", "test_goes_on_apart")]
    assert len(others | {each.figures["process"] for each in apart}) == len(others) + 2
    assert all(float(each.figures["began"]) < float(case(ended, "test_last").figures["began"]) for each in apart[:1])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("test_aborts_apart", ["ended by SIGABRT"]),
        ("test_aborts", ["ended by SIGABRT", "HSA_STATUS_ERROR_MEMORY_APERTURE_VIOLATION"]),
        ("test_reads_nowhere", ["ended by SIGSEGV", "in test_reads_nowhere"]),
        ("test_leaves", ["left with exit code 0"]),
        ("test_hangs", ["hung and was stopped after 2 s", "in test_hangs"]),
        ("test_loses_the_device", ["the device faulted: out of bounds"]),
        ("test_fails", ["assert 1 == 2"]),
    ],
)
def test_a_dying_case_fails_and_says_how(ended: SuiteRun, name: str, words: list[str]) -> None:
    found = case(ended, name)
    assert found.outcome is CaseOutcome.FAILED
    assert [word for word in words if word not in found.message] == []
