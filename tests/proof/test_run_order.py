"""Who goes when: two real runs on one machine, and what each finds of the other's kernels.

A run leaves a file when it has started up. What has to wait for that waits for the file, however long it takes.
"""

from __future__ import annotations

import os
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.carried.load import CarriedPatch, bundled_patches, load_patches
from bot.config.prove import OwnCommand, ProveConfig
from bot.errors import SuiteError
from bot.models import CaseOutcome, CommandSuite, StopWhen, Suite, SuiteRun, Verdict, VerdictOutcome, never
from bot.proof import process, prove, prove_suite, suite_sequence
from bot.proof import prove_trees as prove_trees_module
from bot.proof.change import Change
from bot.proof.isolated_command import DEFAULT, IsolationSettings, obstacle
from bot.proof.prove_trees import prove_trees
from bot.proof.pytest_suite import run_suite
from bot.proof.run_isolated import RunOptions, StartGate
from bot.proof.run_order import RunOrder, choose_order
from bot.proof.suite_sequence import prove_each

HARNESS = Path(__file__).parents[2] / "patches/harness"
CONFTEST = """
    import os, pathlib, time, pytest
    pytest_plugins = ["isolated.plugin"]
    STARTED = time.monotonic()

    def pytest_run_prepare():
        pathlib.Path(os.environ["TRITON_CACHE_DIR"], "started").write_text(os.environ["SUITE_TARGET"])

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
    MAY_END = pathlib.Path(__file__).with_name("may-end") / TREE.parent.name / TREE.name

    def test_it(record_property):
        record_property("found", ",".join(sorted(each.name for each in KERNELS.iterdir() if each.is_dir())))
        (KERNELS / TREE.name).mkdir()
        while MAY_END.parent.exists() and not MAY_END.exists():
            time.sleep(0.02)
        assert TREE.name == "candidate"
"""
_PATIENCE = 200.0
"""Seconds after which a run that has not started is taken for one that never will."""


def waiting_suite(tmp_path: Path) -> Suite:
    """Write two empty trees and a suite that waits for its turn; its case fails on the base."""
    for name in ("base", "candidate", "suite", "kernels"):
        (tmp_path / name).mkdir()
    (tmp_path / "suite/conftest.py").write_text(textwrap.dedent(CONFTEST), encoding="utf-8")
    (tmp_path / "suite/test_it.py").write_text(textwrap.dedent(CASES), encoding="utf-8")
    return Suite(name="it", directory=tmp_path / "suite", import_paths=(HARNESS,), timeout=250, takes_turns=True)


def started_trees(tmp_path: Path) -> set[Path]:
    """Return the trees whose runs have started up; all folders of their kernels are in here."""
    started_set = set()
    # os.walk passes over a folder that goes away meanwhile, as those of runs that end do; rglob raises.
    for folder, _, names in os.walk(tmp_path):
        if "started" in names:
            with suppress(FileNotFoundError):
                started_set.add(Path(folder, "started").read_text(encoding="utf-8"))
    return set(map(Path, started_set))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def each_ends_after_the_next_has_started(tmp_path: Path, *trees: Path) -> Iterator[None]:
    """Let a run of the suite end once the run after it has started up."""
    files = [tmp_path / "suite/may-end" / tree.parent.name / tree.name for tree in trees]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
    seen_set: set[Path] = set()

    def is_started(tree: Path) -> bool:
        seen_set.update(started_trees(tmp_path))
        return tree in seen_set

    def let_end() -> None:
        try:
            for file, following in zip(files, trees[1:], strict=False):
                wait_until(partial(is_started, following))
                file.touch()
        finally:
            for file in files:
                file.touch()

    with ThreadPoolExecutor(max_workers=1) as thread:
        ended = thread.submit(let_end)
        yield
        ended.result()


def clock(run: SuiteRun, name: str) -> float:
    assert run.problem == ""
    return float(run.cases[0].figures[name])


@pytest.fixture(scope="module")
def in_turn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Verdict, Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prove_suite, "choose_order", lambda *_: RunOrder.IN_TURN)
        folder = tmp_path_factory.mktemp("turns")
        patch.setattr(tempfile, "tempdir", str(folder))
        suite, base, candidate = waiting_suite(folder), folder / "base", folder / "candidate"
        with each_ends_after_the_next_has_started(folder, base, candidate):
            return prove(base, candidate, suite, kernels=folder / "kernels"), folder


def test_the_candidate_starts_up_meanwhile_and_begins_when_the_base_has_ended(in_turn: tuple[Verdict, Path]) -> None:
    verdict, _ = in_turn
    assert verdict.outcome is VerdictOutcome.PROVEN
    assert clock(verdict.candidate, "started") < clock(verdict.base, "ended") < clock(verdict.candidate, "began")


class _WatchedGate(StartGate):
    looks = 0

    def is_open(self) -> bool:
        self.looks += 1
        return super().is_open()


def test_waiting_counts_neither_as_run_time_nor_against_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, gate, hour = waiting_suite(tmp_path), _WatchedGate(tmp_path / "gate/begun"), 3600.0
    ahead = [0.0]
    monkeypatch.setattr(process, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + ahead[0]))
    options = RunOptions(gate=gate, kernels=tmp_path / "kernels")
    with ThreadPoolExecutor(max_workers=1) as thread:
        running = thread.submit(run_suite, tmp_path / "candidate", suite, name="candidate", options=options)
        wait_until(lambda: bool(started_trees(tmp_path)))
        ahead[0], looks = hour, gate.looks
        wait_until(lambda: gate.looks > looks + 1)  # whether its time is up was asked since
        gate.open()
        run = running.result()
    assert run.seconds < time.monotonic() - gate.opened_at
    assert clock(run, "started") < gate.opened_at < clock(run, "began")


def test_only_what_a_base_run_compiled_is_kept(in_turn: tuple[Verdict, Path]) -> None:
    verdict, folder = in_turn
    assert verdict.base.cases[0].figures["found"] == ""
    assert verdict.candidate.cases[0].figures["found"] == "base"
    assert [each.name for each in (folder / "kernels").iterdir() if each.is_dir()] == ["base"]


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
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    suite = waiting_suite(tmp_path)
    return tmp_path, {"one": suite, "two": suite, "three": suite}


def test_of_several_suites_the_next_starts_up_meanwhile(several: tuple[Path, dict[str, Suite]]) -> None:
    folder, suites = several
    trees = [folder / "of" / name / tree for name in suites for tree in ("base", "candidate")]
    for tree in trees:
        tree.mkdir(parents=True)

    def one(name: str, suite: Suite | CommandSuite, gate: StartGate, stop_when: StopWhen) -> Verdict:
        own_text = folder / "of" / name
        return prove(own_text / "base", own_text / "candidate", suite, gate=gate, stop_when=stop_when)

    with each_ends_after_the_next_has_started(folder, *trees):
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
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return replace(load_patches([bundled_patches()])["sglang-24587"], suite=waiting_suite(tmp_path))


def test_the_trees_are_laid_out_while_the_suite_starts_up(carried: CarriedPatch, tmp_path: Path) -> None:
    base, candidate = tmp_path / "made/base", tmp_path / "made/candidate"
    laid_items: list[float] = []

    def lay_out() -> None:
        wait_until(lambda: started_trees(tmp_path) == {base, candidate})
        laid_items.append(time.monotonic())

    verdict = prove_trees(Change(base, candidate, carried), lay_out=lay_out, device="cpu")
    assert "all passed on the candidate" in verdict.reason  # what the rules say of these trees is no matter of turns
    for run in (verdict.base, verdict.candidate):
        assert clock(run, "started") < laid_items[0] < clock(run, "began")


def test_trees_that_cannot_be_laid_out_end_the_proof(carried: CarriedPatch, tmp_path: Path) -> None:
    def lay_out() -> None:
        raise SuiteError("The disk is full.", hint="Make room.")

    is_open = time.monotonic()
    with pytest.raises(SuiteError, match="The disk is full"):
        prove_trees(Change(tmp_path / "1", tmp_path / "2", carried), lay_out=lay_out, device="cpu")
    assert time.monotonic() - is_open < 300
    assert list(tmp_path.glob("backport-*")) == []


def endings(said: list[str]) -> list[str]:
    """Return how runs ended, of what was said of a proof."""
    return [line for line in said if " run: " in line and "start" not in line]


@pytest.mark.parametrize("follower", ["command", "companion"])
def test_no_suite_begins_before_the_trees_are_laid_out(
    carried: CarriedPatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, follower: str
) -> None:
    """A first suite that takes turns, as the companion does, ends at once, long before."""
    with monkeypatch.context() as patch:
        (tmp_path / "broken").mkdir()
        broken_value = replace(carried, suite=replace(carried.suite, directory=tmp_path / "broken"))
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

        lines: list[str] = []

        def lay_out() -> None:
            # Before a command of the target's own the trees are laid out first: they are made ready for it.
            wait_until(lambda: len(endings(lines)) == (2 if follower == "companion" else 0))
            for tree in (base, candidate):
                tree.mkdir(parents=True, exist_ok=True)
                (tree / "file").touch()

        verdict = prove_trees(
            Change(
                base,
                candidate,
                broken_value,
                companions=[replace(carried, name="second")] if follower == "companion" else [],
            ),
            lay_out=lay_out,
            settings=ProveConfig(commands=(command,) if follower == "command" else ()),
            device="cpu",
            progress=lines.append,
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
    for module in (prove_suite, suite_sequence):
        monkeypatch.setattr(module, "choose_order", lambda *_: how)
    lines: list[str] = []

    def hold_up(line: str) -> None:
        lines.append(line)
        if len(endings(lines)) == 2:
            time.sleep(0.2)  # the trees are laid out while the thread of the run that ended is not done

    verdict = prove_trees(
        Change(tmp_path / "base", tmp_path / "candidate", carried),
        lay_out=lambda: wait_until(lambda: len(endings(lines)) == 2),
        progress=hold_up,
    )
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert list(tmp_path.glob("backport-*")) == []
    assert caplog.records == []
    assert [line for line in lines if "started" in line] == []


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
