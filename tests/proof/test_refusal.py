"""Beside a token nobody's code runs without walls: on a machine that allows none, which this one is made to be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proof.test_ending import ROOT, WITHOUT_WALLS
from tests.proof.walled import walled

TOKEN = "ghs_0123456789abcdef0123456789abcdef"
_PROGRAM = """
import sys
from pathlib import Path
from bot.environment import credentials
from bot.config import ProveConfig
from bot.errors import SuiteError
from bot.proof.change import Change
from bot.proof.prove_trees import prove_trees

base, candidate, choice, reading = *map(Path, sys.argv[1:3]), *sys.argv[3:]
getattr(credentials, reading)(credentials.TOKEN)
settings = ProveConfig(device="cpu", without_isolation=choice)
try:
    files = ["test_it.py"]
    verdict = prove_trees(Change(base, candidate, None, changed_files=files), settings=settings, progress=print)
except SuiteError as error:
    print("refused:", error.message, error.hint)
else:
    print("verdict:", verdict.outcome.value, verdict.isolation.value)
"""


def prove(folder: Path, *, choice: str = "refuse", reading: str = "take", names: tuple[str, ...] = ()) -> str:
    """Prove a change by its own test in a process that has a token; returns what it printed."""
    for name, size in (("base", 1), ("candidate", 2)):
        (folder / name).mkdir()
        (folder / name / "size.py").write_text(f"SIZE = {size}\n")
    mark = f"open({str(folder / 'ran')!r}, 'w')"
    test = f"from size import SIZE\ndef test_it():\n    assert SIZE == 2\n    {mark}\n"
    (folder / "candidate" / "test_it.py").write_text(test)
    command = [*names, sys.executable, "-c", _PROGRAM, *(str(folder / name) for name in ("base", "candidate"))]
    environment = {**os.environ, "BACKPORT_BOT_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)}
    result = subprocess.run([*command, choice, reading], env=environment, capture_output=True, text=True, check=True)
    return result.stdout


@walled
def test_nothing_runs_without_walls_beside_a_token(tmp_path: Path) -> None:
    result = prove(tmp_path, names=WITHOUT_WALLS)
    assert (
        "refused: This machine cannot isolate a suite (the process cannot be isolated: unshare: No space left" in result
    )
    assert "So nothing was run and nothing is proven." in result
    assert "`prove.without_isolation: allow` in backport.yaml" in result
    assert not (tmp_path / "ran").exists()


@walled
def test_the_configuration_may_accept_it_by_name_and_the_verdict_says_so(tmp_path: Path) -> None:
    result = prove(tmp_path, choice="allow", names=WITHOUT_WALLS)
    assert "isolation of the suites: none\n" in result
    assert "verdict: proven none\n" in result
    assert (tmp_path / "ran").exists()


@walled
def test_whoever_holds_no_token_is_told_and_served(tmp_path: Path) -> None:
    result = prove(tmp_path, reading="drop", names=WITHOUT_WALLS)
    assert "isolation of the suites: none\n" in result
    assert "verdict: proven none\n" in result


@walled
@pytest.mark.parametrize("path", ["", "/nowhere"])
def test_walls_need_no_program_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("PATH", path)
    result = prove(tmp_path)
    assert "isolation of the suites: namespaces\n" in result
    assert not (tmp_path / "ran").exists()  # it lies outside: the test fails when it wants to write there
