"""Several devices on one machine: each gets its own settings, its own folder and its own line."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from bot.config import parse_config
from bot.config.prove import ProveConfig
from bot.models import Progress, StopWhen, SuiteRun, Verdict, VerdictOutcome, never, silent
from bot.proof.change import Change
from bot.proof.prove_devices import prove_devices
from bot.proof.prove_trees import prove_trees


def settings(text: str) -> ProveConfig:
    return parse_config(f"repository: a/b\nprove: {{{text}}}\n").prove


def trees(folder: Path) -> tuple[Path, Path]:
    for name, size in (("base", 1), ("candidate", 2)):
        (folder / name).mkdir()
        (folder / name / "widget.py").write_text(f"SIZE = {size}\n")
    (folder / "candidate" / "test_it.py").write_text("import widget\ndef test_it(): assert widget.SIZE == 2\n")
    return folder / "base", folder / "candidate"


def test_a_proof_is_as_good_as_its_worst_device(tmp_path: Path) -> None:
    base, candidate = trees(tmp_path)
    lines: list[str] = []
    verdict = prove_trees(
        Change(base, candidate, None, changed_files=("widget.py", "test_it.py")),
        settings=settings("devices: [{name: cpu}, {name: gfx942}]"),
        evidence=tmp_path / "evidence",
        progress=lines.append,
    )
    cpu, gpu = verdict.devices
    assert (cpu.outcome, gpu.outcome) == (VerdictOutcome.PROVEN, VerdictOutcome.INCONCLUSIVE)
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert verdict.reason.startswith("gfx942: ")
    assert any(line.startswith("cpu: base run: ") for line in lines)
    evidence = tmp_path / "evidence"
    assert json.loads((evidence / "cpu" / "own-tests" / "verdict.json").read_text())["outcome"] == "proven"
    assert [entry["name"] for entry in json.loads((evidence / "verdict.json").read_text())["devices"]] == [
        "cpu",
        "gfx942",
    ]


def test_one_of_the_devices_can_be_asked_for_alone(tmp_path: Path) -> None:
    base, candidate = trees(tmp_path)
    both = settings("devices: [{name: cpu}, {name: gfx942}]")
    verdict = prove_trees(
        Change(base, candidate, None, changed_files=("widget.py", "test_it.py")), settings=both, device="cpu"
    )
    assert verdict.outcome is VerdictOutcome.PROVEN
    assert verdict.devices == ()


@pytest.mark.parametrize(
    ("devices", "is_together"), [("{name: cpu}, {name: gfx942}", True), ("{name: gfx942}, {name: gfx950}", False)]
)
def test_kinds_of_device_go_side_by_side_and_one_kind_after_the_other(devices: str, *, is_together: bool) -> None:
    running, most = 0, 0
    lock, meeting = threading.Lock(), threading.Barrier(2)

    def prove(*, settings: ProveConfig, evidence: Path | None, progress: Progress, stop_when: StopWhen) -> Verdict:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        if is_together:
            meeting.wait(30)
        with lock:
            running -= 1
        run = SuiteRun(tree="", cases=(), device=None, seconds=0.0, problem="nothing ran")
        return Verdict(outcome=VerdictOutcome.INCONCLUSIVE, reason="Nothing ran.", base=run, candidate=run)

    verdict = prove_devices(settings(f"devices: [{devices}]"), prove, evidence=None, progress=silent, stop_when=never)
    assert most == (2 if is_together else 1)
    assert len(verdict.devices) == 2
