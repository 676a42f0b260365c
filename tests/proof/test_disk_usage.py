"""What a run may write is bounded in size and number, and a run that writes more is ended with a word about it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.models import CommandSuite, Suite, SuiteRun, VerdictOutcome
from bot.proof import prove
from bot.proof.command_suite import run_command
from bot.proof.disk_usage import DiskWatch, Usage, usage
from bot.proof.isolated_command import IsolationSettings
from bot.proof.run_isolated import RunOptions
from tests.environment.test_temporary_folders import nest

MIB = 1024 * 1024
SMALL = IsolationSettings(disk=20 * MIB, entries=500)


def run(tmp_path: Path, code: str, *, timeout: float = 60.0) -> SuiteRun:
    (tmp_path / "t.py").write_text(f"import os\nHOME = os.environ['HOME']\n{code}\n")
    suite = CommandSuite(name="x", command=("{python}", "t.py"), timeout=timeout)
    return run_command(tmp_path, suite, name="base", options=RunOptions(isolation=SMALL))


WRITE = "open(f'{HOME}/{number}', 'wb').write(bytes(2**20))"
MANY = "open(f'{HOME}/{number}', 'w')"
DEEP = "os.mkdir('d'); os.chdir('d')"


@pytest.mark.parametrize("statement", [WRITE, MANY, DEEP], ids=["bytes", "files", "folders"])
def test_a_run_that_writes_without_an_end_is_ended(tmp_path: Path, statement: str) -> None:
    start = time.monotonic()
    endless = f"import time\nfor number in range(10**6):\n    {statement}\n    time.sleep(0.005)\n"
    problem = run(tmp_path, endless, timeout=400).problem
    assert "it wrote more than 20 MiB" in problem or "it made more than 500 files" in problem
    assert time.monotonic() - start < 300


def test_a_run_that_wrote_too_much_and_ended_is_not_judged(tmp_path: Path) -> None:
    result = run(tmp_path, f"for number in range(60):\n    {WRITE}\n")
    assert "it wrote more than 20 MiB" in result.problem
    assert result.cases == ()


def test_a_run_that_writes_little_is_left_alone(tmp_path: Path) -> None:
    assert run(tmp_path, f"for number in range(10):\n    {WRITE}\n").problem == ""


def test_a_long_sparse_file_is_little(tmp_path: Path) -> None:
    assert run(tmp_path, "open(f'{HOME}/x', 'wb').truncate(2**31)").problem == ""


def test_what_a_carried_patchs_suite_writes_is_bounded_too(tmp_path: Path) -> None:
    for name in ("base", "candidate", "suite"):
        (tmp_path / name).mkdir()
    test = f"import os\nHOME = os.environ['HOME']\ndef test_it():\n    for number in range(60):\n        {WRITE}\n"
    (tmp_path / "suite/test_it.py").write_text(test)
    suite = Suite(name="it", directory=tmp_path / "suite", timeout=60)
    verdict = prove(tmp_path / "base", tmp_path / "candidate", suite, device="cpu", isolation=SMALL)
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert "it wrote more than 20 MiB" in verdict.reason


def test_all_is_counted_at_any_depth_and_once(tmp_path: Path) -> None:
    nest(tmp_path, 100)
    (tmp_path / "file").write_bytes(bytes(MIB))
    os.link(tmp_path / "file", tmp_path / "again")
    (tmp_path / "link").symlink_to("/usr")
    measured_usage = usage(tmp_path)
    assert measured_usage.entries == 100 + 100 + 1, "the folders, a file in each, and the link"
    assert MIB <= measured_usage.size < 2 * MIB
    (tmp_path / "d/d/more").write_bytes(bytes(MIB))
    assert usage(tmp_path).size >= 2 * MIB


def test_only_what_is_added_counts(tmp_path: Path) -> None:
    (tmp_path / "before").write_bytes(bytes(4 * MIB))
    watch = DiskWatch([tmp_path], Usage(2 * MIB, 10))
    assert watch.count() == ""
    (tmp_path / "after").write_bytes(bytes(3 * MIB))
    assert watch.count() == "it wrote more than 2 MiB"


def test_what_is_nested_deeper_than_a_path_can_name_is_counted(tmp_path: Path) -> None:
    """In a process of its own: the folders are removed by the test before this one's way out."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from bot.proof.disk_usage import usage; from bot.environment.temporary_folders import scratch_folder\n"
        "from tests.environment.test_temporary_folders import nest\n"
        "with scratch_folder('x') as folder:\n    nest(folder, 2100); print(usage(folder).entries)\n"
    )
    root = str(Path(__file__).parents[2])
    result = subprocess.run([sys.executable, "-c", script, root], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "4200"
