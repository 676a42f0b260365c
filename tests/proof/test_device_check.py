"""A proof for one device never comes out of another: what the suite itself used decides."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from bot.carried.source_tree import DirectoryTree
from bot.config import parse_config
from bot.config.prove import ProveConfig
from bot.models import CommandSuite, Device, SuiteRun, Verdict, VerdictOutcome
from bot.proof import command_suite, device_check, gpu_devices
from bot.proof.change import Change
from bot.proof.command_suite import run_command
from bot.proof.isolated_command import obstacle
from bot.proof.judge_by_rules import conclude
from bot.proof.prove_trees import prove_trees
from bot.proof.select_suites import Suites

CPU = Device(kind="cpu", name="Triton interpreter", arch="x86_64")
MI300 = Device(kind="rocm", name="AMD Instinct MI300X", arch="gfx942")

FAKE_TORCH = """
    __version__ = "2.9.1"
    class version: hip = {hip}
    class cuda:
        def is_available(): return {available}
        def get_device_properties(number):
            class properties: name, gcnArchName, major, minor = "AMD Instinct MI300X", "gfx942:sramecc+:xnack-", 9, 4
            return properties
"""


@pytest.fixture
def kfd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let this machine have the node of an AMD GPU's driver, with nothing behind it."""
    node = tmp_path / "kfd"
    node.touch()
    monkeypatch.setattr(gpu_devices, "KFD", node)
    return node


def prove_own_tests(tmp_path: Path, settings: ProveConfig) -> tuple[VerdictOutcome, str]:
    """Prove a change that brings a test, which fails on the base and passes on the candidate."""
    for name, number in (("base", 1), ("candidate", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "widget.py").write_text(f"SIZE = {number}\n")
    (tmp_path / "candidate" / "test_size.py").write_text(
        "import widget\ndef test_size():\n    assert widget.SIZE == 2\n"
    )
    files = ("widget.py", "test_size.py")
    base, candidate = tmp_path / "base", tmp_path / "candidate"
    proof = prove_trees(Change(base, candidate, None, changed_files=files), settings=settings)
    return proof.outcome, proof.reason


def test_auto_on_a_machine_with_an_amd_gpu_proves_nothing_on_the_cpu(
    tmp_path: Path, kfd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_suite, "visible_device", lambda *_: CPU)
    outcome, reason = prove_own_tests(tmp_path, ProveConfig())
    assert outcome is VerdictOutcome.INCONCLUSIVE
    assert "this machine has an AMD GPU (/dev/kfd), but the suite ran on cpu" in reason


def test_the_cpu_that_was_asked_for_by_name_proves_there_too(tmp_path: Path, kfd: Path) -> None:
    assert prove_own_tests(tmp_path, ProveConfig(device="cpu"))[0] is VerdictOutcome.PROVEN


def test_an_amd_node_alone_is_not_the_device_of_a_command(tmp_path: Path, kfd: Path) -> None:
    """Without torch nothing is known of the device, and the machine's node does not make one of it."""
    (tmp_path / "tree").mkdir()
    suite = CommandSuite(name="it", command=("true",))
    run = run_command(tmp_path / "tree", suite, name="base")
    assert run.device is None or run.device.kind == "cpu"


@pytest.mark.parametrize(
    ("hip", "available", "expected"),
    [("'7.2'", True, ("rocm", "gfx942")), ("None", True, ("cuda", "sm_94")), ("'7.2'", False, ("cpu", "x86_64"))],
)
@pytest.mark.skipif(bool(obstacle()), reason="this machine lets no process have namespaces of its own")
def test_the_device_is_what_the_suite_s_own_torch_says(
    tmp_path: Path, kfd: Path, monkeypatch: pytest.MonkeyPatch, hip: str, available: bool, expected: tuple[str, str]
) -> None:
    (tmp_path / "tree").mkdir()
    text = textwrap.dedent(FAKE_TORCH.format(hip=hip, available=available))
    probe = f"import sys, types\ntorch = types.ModuleType('torch')\nexec({text!r}, torch.__dict__)\n"
    monkeypatch.setattr(device_check, "_PROBE", f"{probe}sys.modules['torch'] = torch\n{device_check._PROBE}")
    run = run_command(tmp_path / "tree", CommandSuite(name="it", command=("true",)), name="base")
    assert run.device is not None
    assert (run.device.kind, run.device.arch) == expected


@pytest.mark.parametrize(
    ("devices", "device", "outcome"),
    [
        ((), CPU, VerdictOutcome.PROVEN),
        (("rocm",), MI300, VerdictOutcome.PROVEN),
        (("gfx942", "gfx950"), MI300, VerdictOutcome.PROVEN),
        (("gfx950",), MI300, VerdictOutcome.INCONCLUSIVE),
        (("rocm",), CPU, VerdictOutcome.INCONCLUSIVE),
        (("rocm",), None, VerdictOutcome.INCONCLUSIVE),
    ],
)
def test_only_a_required_device_s_verdict_opens_a_pull_request(
    tmp_path: Path, devices: tuple[str, ...], device: Device | None, outcome: VerdictOutcome
) -> None:
    run = SuiteRun(tree="base", cases=(), device=device, seconds=1.0)
    proof = Verdict(outcome=VerdictOutcome.PROVEN, reason="It is proven.", base=run, candidate=run)
    suites = Suites(proof={"own": CommandSuite(name="own", command=("x",))})
    total, _ = conclude({"own": proof}, suites, DirectoryTree(tmp_path), [], devices=devices)
    assert total.outcome is outcome
    assert outcome is VerdictOutcome.PROVEN or f"This says nothing about {' or '.join(devices)}" in total.reason


def test_a_device_by_name_is_a_required_device() -> None:
    config = "repository: a/b\nprove: {%s}\n"
    assert parse_config(config % "device: rocm").prove.devices_that_count == ("rocm",)
    assert parse_config(config % "device: auto").prove.devices_that_count == ()
    assert parse_config(config % "device: rocm, required_devices: [gfx950]").prove.devices_that_count == ("gfx950",)
