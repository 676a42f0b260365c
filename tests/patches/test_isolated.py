"""A child that dies, hangs, floods or lies in every way it can: each is a failing case, and the others run."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from bot.models import CaseOutcome, CaseResult, Suite, SuiteRun
from bot.proof.pytest_suite import run_suite

ROOT = Path(__file__).parents[2]
CONFTEST = """
    import os
    import pytest
    from isolated.child import Child, preload

    pytest_plugins = ["isolated.plugin"]

    def pytest_configure(config):
        preload()

    def pytest_run_begin():
        return {"device.kind": "cpu", "device.name": "none", "device.arch": "none"}

    @pytest.fixture
    def child():
        held = Child("hostile")
        yield held
        held.end()
"""
HOSTILE = """
    import ctypes, gc, io, json, os, signal, socket, sys, time
    from isolated.errors import HarnessError

    class Handler:
        def __init__(self, region): self.before = []

        def twice(self, number): return 2 * number
        def pid(self): return os.getpid()
        def raises(self): raise ValueError("no room")
        def at_its_limit(self): raise HarnessError("not provided")
        def aborts(self):
            os.write(2, b"HSA_STATUS_ERROR_MEMORY_APERTURE_VIOLATION\\n")
            os.abort()
        def reads_nowhere(self): ctypes.string_at(0)
        def leaves(self): os._exit(0)
        def hangs(self, sign):
            open(sign, "w").close()
            while True: time.sleep(60)
        def floods(self): self._wire().sendall(b"x" * (1 << 26))
        def shouts(self):
            while True: os.write(1, b"x" * (1 << 20))
        def says_no_json(self): self._wire().sendall(b"passed\\n")
        def nests(self): self._wire().sendall(b"[" * 100000 + b"\\n")
        def answers_another(self): self._wire().sendall(json.dumps({"nonce": "0", "answer": 4}).encode() + b"\\n")
        def answers_ahead(self):
            self._wire().sendall(json.dumps({"nonce": "0", "answer": 4}).encode() + b"\\n")
            return None
        def patches_pytest(self):
            import _pytest.reports, pytest
            _pytest.reports.TestReport.from_item_and_call = classmethod(lambda *_: None)
            pytest.raises = sys.modules["isolated.errors"].TargetFailed = None
            return "patched"
        def capabilities(self):
            lines = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
            return [int(lines[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")]
        def open_files(self): return [os.path.realpath(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd")]
        def drops_what_the_judge_had_open(self):
            gc.unfreeze()
            had = [each for each in gc.get_objects() if isinstance(each, (io.FileIO, socket.socket))]
            for each in had:
                if each.fileno() > 2 and each is not self._wire(): each.close()
            return len(had)
        def reads_the_secret(self): return sys.modules["__main__"].report._secret[:].hex()
        def ends_its_parents(self):
            keeper = os.getppid()
            os.kill(int(open(f"/proc/{keeper}/stat").read().rpartition(")")[2].split()[1]), signal.SIGKILL)
            os.kill(keeper, signal.SIGKILL)
        def looks_into(self, pid):
            try:
                return [os.listdir(f"/proc/{pid}/fd"), open(f"/proc/{pid}/environ").read()]
            except OSError as refused:
                return type(refused).__name__

        def _wire(self):
            frame = sys._getframe()
            while "wire" not in frame.f_locals: frame = frame.f_back
            return frame.f_locals["wire"]._end
"""
CASES = """
    import os, sys, time, pytest
    from isolated.errors import HarnessError, TargetFailed

    def test_first(child): assert child.ask("twice", number=2) == 4

    @pytest.mark.parametrize("way", [
        "raises", "aborts", "reads_nowhere", "leaves", "floods", "shouts", "says_no_json", "nests",
        "answers_another", "at_its_limit",
    ])
    def test_goes_wrong(child, way): child.ask(way)

    def test_hangs(child, tmp_path, monkeypatch):
        child.begin("hangs", sign=str(tmp_path / "sign"))
        while not (tmp_path / "sign").exists(): time.sleep(0.01)
        monkeypatch.setenv("SUITE_CASE_SECONDS", "1")
        child.answer()

    def test_answers_ahead(child):
        child.ask("answers_ahead")
        child.ask("twice", number=2)

    def test_a_dead_child_stays_dead(child):
        with pytest.raises(TargetFailed): child.ask("leaves")
        with pytest.raises(TargetFailed, match="left with exit code 0"): child.ask("twice", number=2)

    def test_patched_there_is_not_patched_here(child):
        assert child.ask("patches_pytest") == "patched"
        assert child.ask("twice", number=3) == 7

    def test_has_no_capability(child): assert child.ask("capabilities") == [0, 0, 0]
    def test_cannot_look_into_the_judge(child): assert child.ask("looks_into", pid=os.getpid()) == "PermissionError"
    def test_cannot_read_the_secret_of_the_report(child):
        assert len(sys.modules["__main__"].report._secret[:]) == 32
        with pytest.raises(TargetFailed, match="ended by SIG(SEGV|BUS)"): child.ask("reads_the_secret")
    def test_has_none_of_the_judges_files(child):
        assert any("report" in os.path.realpath(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd"))
        assert [file for file in child.ask("open_files") if "report" in file] == []
    def test_goes_on_when_objects_of_the_judge_go(child):
        assert child.ask("drops_what_the_judge_had_open") > 3
        assert child.ask("twice", number=2) == 4
    def test_is_another_process(child): assert child.ask("pid") != os.getpid()
    def test_counts_what_it_asked(child):
        child.ask("twice", number=1)
        child.ask("twice", number=1)
        assert child.asked == 2
    def test_next(child): assert child.ask("twice", number=2) == 4
    def test_ends_its_parents(child):
        child.ask("ends_its_parents")
        assert child.ask("twice", number=2) == 4
        child.end()
        assert child._process.exitcode is not None
    def test_last(child): child.ask("twice", number=2)
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> SuiteRun:
    folder, tree = tmp_path_factory.mktemp("suite"), tmp_path_factory.mktemp("tree")
    library = tmp_path_factory.mktemp("library")
    (library / "hostile.py").write_text(textwrap.dedent(HOSTILE), encoding="utf-8")
    (folder / "conftest.py").write_text(textwrap.dedent(CONFTEST), encoding="utf-8")
    (folder / "test_it.py").write_text(textwrap.dedent(CASES), encoding="utf-8")
    suite = Suite(name="it", directory=folder, import_paths=(ROOT / "patches/harness", library), timeout=120)
    return run_suite(tree, suite, name="base")


def case(run: SuiteRun, name: str) -> CaseResult:
    return next(case for case in run.cases if case.name.endswith(name))


def test_the_run_is_whole_and_names_its_device(ended: SuiteRun) -> None:
    assert ended.problem == ""
    assert len(ended.cases) == 25
    assert ended.device is not None
    assert ended.device.kind == "cpu"


@pytest.mark.parametrize(
    "name",
    [
        "test_first",
        "test_a_dead_child_stays_dead",
        "test_has_no_capability",
        "test_cannot_look_into_the_judge",
        "test_cannot_read_the_secret_of_the_report",
        "test_has_none_of_the_judges_files",
        "test_goes_on_when_objects_of_the_judge_go",
        "test_is_another_process",
        "test_counts_what_it_asked",
        "test_next",
        "test_ends_its_parents",
    ],
)
def test_what_must_hold_of_a_child_holds(ended: SuiteRun, name: str) -> None:
    case_result = case(ended, name)
    assert case_result.outcome is CaseOutcome.PASSED, case_result.message


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("goes_wrong[raises]", ["ValueError: no room", "hostile.py"]),
        ("goes_wrong[aborts]", ["ended by SIGABRT", "HSA_STATUS_ERROR_MEMORY_APERTURE_VIOLATION"]),
        ("goes_wrong[reads_nowhere]", ["ended by SIGSEGV", "in reads_nowhere"]),
        ("goes_wrong[leaves]", ["left with exit code 0"]),
        ("hangs", ["hung and was stopped after 1 s", "in hangs"]),
        ("goes_wrong[floods]", ["an answer of more than 4194304 bytes"]),
        ("goes_wrong[shouts]", []),
        ("goes_wrong[says_no_json]", ["an answer that is no JSON"]),
        ("goes_wrong[nests]", ["an answer that is no JSON"]),
        ("goes_wrong[answers_another]", ["answered something that it was not asked"]),
        ("last", ["the process that children are forked from was ended by one of them"]),
    ],
)
def test_a_child_that_goes_wrong_fails_its_case_and_says_how(ended: SuiteRun, name: str, words: list[str]) -> None:
    case_result = case(ended, f"test_{name}")
    assert case_result.outcome is CaseOutcome.FAILED
    assert [word for word in words if word not in case_result.message] == []


def test_an_answer_before_its_request_is_no_answer(ended: SuiteRun) -> None:
    case_result = case(ended, "test_answers_ahead")
    assert case_result.outcome is CaseOutcome.FAILED


def test_what_a_child_patches_is_its_own(ended: SuiteRun) -> None:
    """The case is written to fail: were the judge's pytest patched, or its assertion, it could not."""
    case_result = case(ended, "test_patched_there_is_not_patched_here")
    assert case_result.outcome is CaseOutcome.FAILED
    assert "assert 6 == 7" in case_result.message


def test_the_harness_limit_is_an_error_and_no_failure(ended: SuiteRun) -> None:
    assert case(ended, "test_goes_wrong[at_its_limit]").outcome is CaseOutcome.ERROR
