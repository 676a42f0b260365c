"""Who goes when: two real runs on one machine, told apart by the clock, and what each finds of the other's kernels."""

from __future__ import annotations

import os
import tempfile
import textwrap
import threading
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from bot.carried.load import CarriedPatch, bundled_patches, load_patches
from bot.config.prove import OwnCommand, ProveConfig
from bot.errors import SuiteError
from bot.models import CaseOutcome, CommandSuite, StopWhen, Suite, SuiteRun, Verdict, VerdictOutcome, never
from bot.proof import prove, prove_suite, suite_sequence
from bot.proof import prove_trees as prove_trees_module
from bot.proof.isolated_command import DEFAULT, IsolationSettings, obstacle
from bot.proof.prove_trees import prove_trees
from bot.proof.run_isolated import StartGate
from bot.proof.run_order import RunOrder, choose_order
from bot.proof.suite_sequence import prove_each

pytestmark = pytest.mark.long
HARNESS = Path(__file__).parents[2] / "patches/harness"
CONFTEST = """
    import time, pytest
    pytest_plugins = ["isolated.plugin"]
    STARTED = time.monotonic()

    def pytest_run_begin():
        return {"device.kind": "cpu", "device.name": "none", "device.arch": "none"}

    @pytest.fixture(autouse=True)
    def clock(record_property):
        record_property("started", STARTED)
        record_property("began", time.monotonic())
        yield
        record_property("ended", time.monotonic())
"""
CASES = """
    import os, pathlib, time

    TREE, KERNELS = pathlib.Path(os.environ["SUITE_TARGET"]), pathlib.Path(os.environ["TRITON_CACHE_DIR"])

    def test_it(record_property):
        record_property("found", ",".join(sorted(each.name for each in KERNELS.iterdir())))
        (KERNELS / TREE.name).mkdir()
        time.sleep(3)
        assert TREE.name == "candidate"
"""


def waiting_suite(tmp_path: Path) -> Suite:
    """Write two empty trees and a suite that waits for its turn; its case fails on the base."""
    for name in ("base", "candidate", "suite", "kernels"):
        (tmp_path / name).mkdir()
    (tmp_path / "suite/conftest.py").write_text(textwrap.dedent(CONFTEST), encoding="utf-8")
    (tmp_path / "suite/test_it.py").write_text(textwrap.dedent(CASES), encoding="utf-8")
    return Suite(name="it", directory=tmp_path / "suite", import_paths=(HARNESS,), timeout=5.5, takes_turns=True)


def clock(run: SuiteRun, name: str) -> float:
    assert run.problem == ""
    return float(run.cases[0].figures[name])


@pytest.fixture(scope="module")
def in_turn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Verdict, Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prove_suite, "choose_order", lambda *_: RunOrder.IN_TURN)
        folder = tmp_path_factory.mktemp("turns")
        suite = waiting_suite(folder)
        return prove(folder / "base", folder / "candidate", suite, kernels=folder / "kernels"), folder


def test_the_candidate_starts_up_meanwhile_and_begins_when_the_base_has_ended(in_turn: tuple[Verdict, Path]) -> None:
    verdict, _ = in_turn
    assert verdict.outcome is VerdictOutcome.PROVEN
    assert clock(verdict.candidate, "started") < clock(verdict.base, "ended") < clock(verdict.candidate, "began")


def test_waiting_counts_neither_as_run_time_nor_against_the_limit(in_turn: tuple[Verdict, Path]) -> None:
    verdict, _ = in_turn
    waited = clock(verdict.candidate, "began") - clock(verdict.candidate, "started")
    assert waited > 2
    assert verdict.candidate.seconds < clock(verdict.candidate, "ended") - clock(verdict.candidate, "started")


def test_only_what_a_base_run_compiled_is_kept(in_turn: tuple[Verdict, Path]) -> None:
    verdict, folder = in_turn
    assert verdict.base.cases[0].figures["found"] == ""
    assert verdict.candidate.cases[0].figures["found"] == "base"
    assert [each.name for each in (folder / "kernels").iterdir()] == ["base"]


def test_a_candidate_cannot_write_into_the_kept_kernels(tmp_path: Path) -> None:
    if obstacle():
        pytest.skip("this machine has no walls")
    for name in ("base", "candidate", "suite", "kernels"):
        (tmp_path / name).mkdir()
    (tmp_path / "suite/test_it.py").write_text(
        "import os, pathlib\ndef test_it():\n"
        f"    pathlib.Path({str(tmp_path / 'kernels')!r}, pathlib.Path(os.environ['SUITE_TARGET']).name).mkdir()\n"
    )
    suite = Suite(name="it", directory=tmp_path / "suite", timeout=30)
    verdict = prove(tmp_path / "base", tmp_path / "candidate", suite, kernels=tmp_path / "kernels")
    assert verdict.base.cases[0].message == ""
    assert "Read-only file system" in verdict.candidate.cases[0].message
    assert [each.name for each in (tmp_path / "kernels").iterdir()] == ["base"]


@pytest.fixture
def several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, dict[str, Suite]]:
    for module in (prove_suite, suite_sequence):
        monkeypatch.setattr(module, "choose_order", lambda *_: RunOrder.IN_TURN)
    suite = waiting_suite(tmp_path)
    return tmp_path, {"one": suite, "two": suite, "three": suite}


def test_of_several_suites_the_next_starts_up_meanwhile(several: tuple[Path, dict[str, Suite]]) -> None:
    folder, suites = several

    def one(name: str, suite: Suite | CommandSuite, gate: StartGate, stop_when: StopWhen) -> Verdict:
        return prove(folder / "base", folder / "candidate", suite, gate=gate, stop_when=stop_when)

    verdicts = prove_each(suites, one, first=StartGate(), device="auto", isolation=DEFAULT, stop_when=never)
    assert [verdict.outcome for verdict in verdicts.values()] == [VerdictOutcome.PROVEN] * 3
    runs = [run for verdict in verdicts.values() for run in (verdict.base, verdict.candidate)]
    for before, after in pairwise(runs):
        assert clock(after, "started") < clock(before, "ended") < clock(after, "began")


@pytest.fixture
def endless(several: tuple[Path, dict[str, Suite]]) -> tuple[Path, dict[str, Suite]]:
    """The same suites with a case that would take ten minutes."""
    folder, suites = several
    (folder / "suite/test_it.py").write_text("import time\n\ndef test_it():\n    time.sleep(600)\n", encoding="utf-8")
    return folder, {name: replace(suite, timeout=600) for name, suite in suites.items()}


def test_a_suite_that_cannot_be_proven_ends_the_others(endless: tuple[Path, dict[str, Suite]]) -> None:
    folder, suites = endless

    def one(name: str, suite: Suite | CommandSuite, gate: StartGate, stop_when: StopWhen) -> Verdict:
        if name == "two":
            raise SuiteError("It is gone.", hint="Look for it.")
        return prove(folder / "base", folder / "candidate", suite, gate=gate, stop_when=stop_when)

    is_open = time.monotonic()
    with pytest.raises(SuiteError, match="It is gone"):
        prove_each(suites, one, first=StartGate(), device="auto", isolation=DEFAULT, stop_when=never)
    assert time.monotonic() - is_open < 300


def test_a_proof_of_several_suites_is_ended_when_nobody_needs_it(endless: tuple[Path, dict[str, Suite]]) -> None:
    folder, suites = endless
    threads = set()

    def one(name: str, suite: Suite | CommandSuite, gate: StartGate, stop_when: StopWhen) -> Verdict:
        return prove(folder / "base", folder / "candidate", suite, gate=gate, stop_when=stop_when)

    def unneeded() -> bool:
        threads.add(threading.current_thread())
        return True

    is_open = time.monotonic()
    verdicts = prove_each(
        {"one": suites["one"]}, one, first=StartGate(), device="auto", isolation=DEFAULT, stop_when=unneeded
    )
    assert verdicts["one"].outcome is VerdictOutcome.INCONCLUSIVE
    assert time.monotonic() - is_open < 300
    assert threads == {threading.current_thread()}


def test_kernels_that_cannot_be_kept_are_compiled_for_the_proof_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    suite = waiting_suite(tmp_path)
    verdict = prove(tmp_path / "base", tmp_path / "candidate", suite, device="cpu", kernels=tmp_path / "file/kernels")
    assert verdict.outcome is VerdictOutcome.PROVEN


@pytest.fixture
def carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CarriedPatch:
    """A carried patch with the suite, and nothing kept of earlier proofs."""
    monkeypatch.setattr(prove_trees_module, "cache_directory", lambda: tmp_path)
    return replace(load_patches([bundled_patches()])["sglang-24587"], suite=waiting_suite(tmp_path))


def test_the_trees_are_laid_out_while_the_suite_starts_up(carried: CarriedPatch, tmp_path: Path) -> None:
    base, candidate = tmp_path / "made/base", tmp_path / "made/candidate"
    laid: list[float] = []

    def lay_out() -> None:
        time.sleep(3)
        laid.append(time.monotonic())

    verdict = prove_trees(base, candidate, carried, lay_out=lay_out, patches={}, device="cpu")
    assert "all passed on the candidate" in verdict.reason  # what the rules say of these trees is no matter of turns
    for run in (verdict.base, verdict.candidate):
        assert clock(run, "started") < laid[0] < clock(run, "began")
        assert run.seconds < clock(run, "ended") - clock(run, "started")


def test_trees_that_cannot_be_laid_out_end_the_proof(
    carried: CarriedPatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def lay_out() -> None:
        raise SuiteError("The disk is full.", hint="Make room.")

    is_open = time.monotonic()
    with pytest.raises(SuiteError, match="The disk is full"):
        prove_trees(tmp_path / "1", tmp_path / "2", carried, lay_out=lay_out, patches={}, device="cpu")
    assert time.monotonic() - is_open < 300
    assert list(tmp_path.glob("backport-*")) == []


@pytest.mark.parametrize("follower", ["command", "companion"])
def test_no_suite_begins_before_the_trees_are_laid_out(
    carried: CarriedPatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, follower: str
) -> None:
    """The first suite ends at once, long before."""
    with monkeypatch.context() as patch:
        (tmp_path / "broken").mkdir()
        broken = replace(carried, suite=replace(carried.suite, directory=tmp_path / "broken"))
        if follower == "companion":
            for module in (prove_suite, suite_sequence):
                patch.setattr(module, "choose_order", lambda *_: RunOrder.IN_TURN)
        (tmp_path / "suite/test_it.py").write_text(
            "import os, pathlib\n\ndef test_it():\n"
            "    assert pathlib.Path(os.environ['SUITE_TARGET'], 'file').exists()\n",
            encoding="utf-8",
        )
        command = OwnCommand(name="second", command=("test", "-e", "file"))
        base, candidate = tmp_path / "made/base", tmp_path / "made/candidate"

        def lay_out() -> None:
            time.sleep(4)
            for tree in (base, candidate):
                (tree / "file").touch()

        verdict = prove_trees(
            base,
            candidate,
            broken,
            lay_out=lay_out,
            companions=[replace(carried, name="second")] if follower == "companion" else [],
            patches={},
            settings=ProveConfig(commands=(command,) if follower == "command" else ()),
            device="cpu",
        )
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    second = [case for run in (verdict.base, verdict.candidate) for case in run.cases if case.name.startswith("second")]
    assert [case.outcome for case in second] == [CaseOutcome.PASSED] * 2


@pytest.mark.parametrize("how", [RunOrder.TOGETHER, RunOrder.IN_TURN])
def test_a_proof_that_ended_before_its_trees_were_there_leaves_nothing(
    carried: CarriedPatch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    how: RunOrder,
) -> None:
    (tmp_path / "suite/test_it.py").unlink()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for module in (prove_suite, suite_sequence):
        monkeypatch.setattr(module, "choose_order", lambda *_: how)
    said: list[str] = []
    verdict = prove_trees(
        tmp_path / "base",
        tmp_path / "candidate",
        carried,
        lay_out=lambda: time.sleep(4),
        patches={},
        progress=said.append,
    )
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert list(tmp_path.glob("backport-*")) == []
    assert caplog.records == []
    assert [line for line in said if "started" in line] == []


def test_a_turn_whose_sign_cannot_be_written_counts_so_that_the_run_ends_in_time(tmp_path: Path) -> None:
    gate = StartGate(tmp_path / "gone/begun")
    (tmp_path / "gone").rmdir()
    with pytest.raises(FileNotFoundError):
        gate.open()
    assert gate.is_open()


TAKES = Suite(name="it", directory=Path("/"), takes_turns=True)
PLAIN = Suite(name="it", directory=Path("/"))
COMMAND = CommandSuite(name="it", command=("true",))


@pytest.mark.parametrize(
    ("suite", "device", "network", "processors", "expected"),
    [
        (PLAIN, "cpu", False, 2, RunOrder.TOGETHER),
        (TAKES, "cpu", False, 2, RunOrder.TOGETHER),
        (COMMAND, "cpu", False, 2, RunOrder.TOGETHER),
        (PLAIN, "cpu", True, 2, RunOrder.AFTER),
        (TAKES, "cpu", True, 2, RunOrder.IN_TURN),
        (PLAIN, "cpu", False, 1, RunOrder.AFTER),
        (TAKES, "rocm", False, 1, RunOrder.AFTER),
        (TAKES, "rocm", False, 2, RunOrder.IN_TURN),
        (PLAIN, "cuda", False, 2, RunOrder.AFTER),
        (COMMAND, "cuda", False, 2, RunOrder.AFTER),
    ],
)
def test_runs_share_no_device(
    monkeypatch: pytest.MonkeyPatch,
    suite: Suite | CommandSuite,
    device: str,
    network: bool,
    processors: int,
    expected: RunOrder,
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    assert choose_order(suite, device, IsolationSettings(network=network)) is expected
