"""What a machine lacks is told as such, with what to do, and never as a finding about the target."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.carried.load import CarriedPatch
from bot.models import CaseOutcome, Suite, SuiteRun
from bot.proof.pytest_suite import run_suite

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

LOADS = """
def test_the_target_is_loaded(target):
    assert target.supports("decode")
    assert target.ask("provenance")["aiter"] == "stand-in"
"""
LIMITS = """
import os
import subprocess
import sys
import types

import triton
from sglang_aiter.child import kernels
from sglang_aiter.child.compile_amd import linker_limit
from triton.backends.amd.compiler import HIPBackend

def test_without_the_linker_that_an_older_triton_needs(monkeypatch):
    assert linker_limit() == ""
    def absent():
        raise Exception("ROCm linker /opt/rocm/llvm/bin/ld.lld not found.")
    monkeypatch.setattr(HIPBackend, "path_to_rocm_lld", staticmethod(absent), raising=False)
    assert f"triton {triton.__version__} links kernels for AMD with ROCm's ld.lld, which is not here" in linker_limit()
    assert "TRITON_HIP_LLD_PATH" in linker_limit()

def test_an_interpreted_kernel_of_an_older_triton_is_noted(monkeypatch):
    class InterpretedFunction:
        def __getitem__(self, grid):
            return lambda *args: args
    older = types.SimpleNamespace(InterpretedFunction=InterpretedFunction)
    monkeypatch.setitem(sys.modules, "triton.runtime.interpreter", older)
    kernel = InterpretedFunction()
    with kernels.recorded() as calls:
        assert kernel[(1,)](2, 3) == (2, 3)
    assert [call.args for call in calls] == [(2, 3)]
    kernel[(1,)](4)
    assert len(calls) == 1, "afterwards nothing is noted"

BREAK = "import triton.runtime.interpreter as i; i.InterpreterBuilder.create_splat = lambda *_: 1 / 0; "
ASK = "from sglang_aiter.child.interpreter_check import interpreter_limit; print(interpreter_limit())"

def interpreted(program):
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()

def test_an_interpreter_that_fails_on_a_loop_is_named():
    assert interpreted(ASK) == ""
    said = interpreted(BREAK + ASK)
    assert said.startswith(f"triton {triton.__version__} and numpy ")
    assert "ZeroDivisionError" in said
    assert "Take another of the two" in said
"""


@pytest.fixture
def run(
    shipped: Mapping[str, CarriedPatch], release_tree: Callable[[str], Path], tmp_path: Path
) -> Callable[..., SuiteRun]:
    """Run a test of ours in place of a carried patch's own, with packages before or behind those of the harness."""
    suite = shipped["sglang-24587"].suite

    def once(test: str, *, before: tuple[Path, ...] = (), behind: tuple[Path, ...] = ()) -> SuiteRun:
        folder = tmp_path / "suite"
        folder.mkdir()
        shutil.copy(suite.directory / "conftest.py", folder)
        (folder / "test_ours.py").write_text(test, encoding="utf-8")
        ours: Suite = replace(suite, directory=folder, import_paths=(*before, *suite.import_paths, *behind))
        return run_suite(release_tree("0.5.13"), ours, name="base", device="cpu")

    return once


def test_an_aiter_that_wants_a_gpu_is_not_imported_without_one(run: Callable[..., SuiteRun], tmp_path: Path) -> None:
    (tmp_path / "ours" / "aiter").mkdir(parents=True)
    text = 'raise RuntimeError("0 active drivers ([]). There should only be one.")\n'
    (tmp_path / "ours" / "aiter" / "__init__.py").write_text(text)
    result = run(LOADS, behind=(tmp_path / "ours",))
    assert result.problem == ""
    assert [(case.outcome, case.message) for case in result.cases] == [(CaseOutcome.PASSED, "")]


def test_what_the_machine_lacks_is_named_with_a_remedy(run: Callable[..., SuiteRun]) -> None:
    result = run(LIMITS)
    assert result.problem == ""
    assert [case.message for case in result.cases if case.outcome is not CaseOutcome.PASSED] == []
    assert len(result.cases) == 3


def test_a_run_without_an_interpreter_that_works_gives_no_verdict(
    run: Callable[..., SuiteRun], shipped: Mapping[str, CarriedPatch], tmp_path: Path
) -> None:
    (harness,) = {path for path in shipped["sglang-24587"].suite.import_paths if (path / "sglang_aiter").is_dir()}
    shutil.copytree(harness, tmp_path / "harness")
    check = tmp_path / "harness/sglang_aiter/child/interpreter_check.py"
    check.write_text("def interpreter_limit():\n    return 'triton 3.6.0 and numpy 2.4.6 do not interpret a loop.'\n")
    result = run(LOADS, before=(tmp_path / "harness",))
    assert result.problem == "no device: triton 3.6.0 and numpy 2.4.6 do not interpret a loop."
    assert result.cases == ()
