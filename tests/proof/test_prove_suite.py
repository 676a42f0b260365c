"""Suites that end in every way a suite can end, run for real in processes of their own."""

from __future__ import annotations

import os
import textwrap
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.errors import SuiteError
from bot.models import CaseOutcome, Suite, SuiteRun, VerdictOutcome
from bot.proof import process, prove
from bot.proof.isolated_command import obstacle
from bot.proof.pytest_suite import run_suite
from bot.proof.run_isolated import RunOptions
from tests.proof.walled import left

Lines = list[str]


def write_suite(folder: Path, text: str, *, timeout: float = 60.0) -> Suite:
    """Write a suite of one file."""
    folder.mkdir(exist_ok=True)
    (folder / "test_it.py").write_text(textwrap.dedent(text), encoding="utf-8")
    return Suite(name="it", directory=folder, timeout=timeout)


def run(tmp_path: Path, text: str, *, timeout: float = 60.0) -> SuiteRun:
    """Run a one-file suite on an empty tree; what it leaves behind it can leave in the folder for kernels alone."""
    tree = tmp_path / "tree"
    tree.mkdir(exist_ok=True)
    kernels = tmp_path / "kernels"
    kernels.mkdir(exist_ok=True)
    return run_suite(
        tree, write_suite(tmp_path / "suite", text, timeout=timeout), name="base", options=RunOptions(kernels=kernels)
    )


def test_a_fix_is_proven_case_by_case(tmp_path: Path) -> None:
    """Both trees hold one file; the suite reads it where SUITE_TARGET points."""
    for name, value in (("base", "16"), ("candidate", "256")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "size").write_text(value, encoding="utf-8")
    suite = write_suite(
        tmp_path / "suite",
        """
        import os, pathlib

        def test_size(record_property):
            size = int(pathlib.Path(os.environ["SUITE_TARGET"], "size").read_text())
            record_property("numel", size)
            assert size == 256

        def test_other():
            pass
        """,
    )
    heard_items: Lines = []
    verdict = prove(tmp_path / "base", tmp_path / "candidate", suite, progress=heard_items.append)
    assert verdict.outcome is VerdictOutcome.PROVEN
    assert [case.outcome for case in verdict.base.cases] == [CaseOutcome.FAILED, CaseOutcome.PASSED]
    assert verdict.base.cases[0].figures == {"numel": "16"}
    assert "assert 16 == 256" in verdict.base.cases[0].message
    assert any(line.startswith("base run: 1 passed, 1 failed") for line in heard_items)
    assert any(line.startswith("candidate run: 2 passed") for line in heard_items)


def test_the_same_tree_twice_is_incomplete(tmp_path: Path) -> None:
    suite = write_suite(tmp_path / "suite", "def test_it():\n    assert False\n")
    assert prove(tmp_path, tmp_path, suite).outcome is VerdictOutcome.INCOMPLETE


def test_a_proof_that_nobody_needs_any_more_is_ended(tmp_path: Path) -> None:
    suite = write_suite(tmp_path / "suite", "import time\n\ndef test_it():\n    time.sleep(300)\n", timeout=200.0)
    started = time.monotonic()
    verdict = prove(tmp_path, tmp_path, suite, stop_when=lambda: time.monotonic() - started > 2)
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert time.monotonic() - started < 150


def test_a_hang_is_stopped_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is set forward once the case has begun."""
    begun_text = tmp_path / "kernels/begun"
    monkeypatch.setattr(
        process, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 900 * begun_text.exists())
    )
    hangs = f"import pathlib, time\ndef test_waits_for_ever():\n    pathlib.Path({str(begun_text)!r}).touch()\n"
    result = run(tmp_path, hangs + "    time.sleep(600)\n", timeout=450)
    assert "stopped after 450 s during test_it.py::test_waits_for_ever" in result.problem
    assert result.cases == ()


def test_a_run_ends_when_it_is_told_to(tmp_path: Path) -> None:
    suite = write_suite(tmp_path / "suite", "import time\ndef test_it():\n    time.sleep(600)\n")
    options = RunOptions()
    threading.Timer(2, options.stop.set).start()
    start = time.monotonic()
    problem = run_suite(tmp_path, suite, name="base", options=options).problem
    assert "it was not needed any more" in problem
    assert "stopped after" not in problem, "its time was not up"
    assert time.monotonic() - start < 300


def test_a_child_that_outlives_the_suite_is_ended(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        f"""
        import subprocess, sys
        def test_leaves_a_child():
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "{tmp_path.name}-child"])
        """,
    )
    assert result.problem == ""
    assert left(f"{tmp_path.name}-child") == []


def test_an_abort_is_no_success_and_is_not_run_again(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        f"""
        import os, pathlib
        def test_first():
            pass
        def test_aborts():
            with pathlib.Path({str(tmp_path / "kernels" / "runs")!r}).open("a") as runs:
                runs.write("x")
            os.abort()
        """,
    )
    assert "SIGABRT" in result.problem
    assert "test_it.py::test_aborts" in result.problem
    assert (tmp_path / "kernels" / "runs").read_text() == "x"


def test_leaving_early_with_success_is_no_success(tmp_path: Path) -> None:
    result = run(tmp_path, "import os\ndef test_leaves():\n    os._exit(0)\ndef test_fails():\n    assert False\n")
    assert "left no report" in result.problem


def test_no_cases_are_no_success(tmp_path: Path) -> None:
    result = run(tmp_path, "def helper():\n    pass\n")
    assert result.problem == "it collected no case."


def test_a_suite_that_cannot_be_imported_errs(tmp_path: Path) -> None:
    suite = write_suite(tmp_path / "suite", "import no_such_module\n")
    verdict = prove(tmp_path, tmp_path, suite)
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert verdict.base.cases[0].outcome is CaseOutcome.ERROR


def test_an_exit_code_that_contradicts_the_report_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "conftest.py").write_text(
        "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n", encoding="utf-8"
    )
    result = run(tmp_path, "def test_it():\n    assert False\n")
    assert "which its report does not explain" in result.problem


def test_a_device_that_is_not_there_is_inconclusive(tmp_path: Path) -> None:
    suite = write_suite(
        tmp_path / "suite",
        """
        import os, pytest
        @pytest.fixture(autouse=True, scope="session")
        def device():
            pytest.exit(f"a {os.environ['SUITE_DEVICE']} device was asked for.", returncode=64)
        def test_it():
            pass
        """,
    )
    verdict = prove(tmp_path, tmp_path, suite, device="rocm")
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert "no device: a rocm device was asked for." in verdict.reason


def test_an_unknown_device_kind_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="no device kind `tpu`"):
        prove(tmp_path, tmp_path, Suite(name="it", directory=tmp_path), device="tpu")


def test_a_missing_suite_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="is not there"):
        prove(tmp_path, tmp_path, Suite(name="it", directory=tmp_path / "none"))


def test_a_suite_finds_no_token_no_agent_and_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite looks where tokens lie: its environment, its parents' environments, the agent, the home folder."""
    secret = "ghs_0123456789abcdef"
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "BACKPORT_BOT_TOKEN", "AWS_SECRET_ACCESS_KEY", "HTTPS_PROXY", "NETRC"):
        monkeypatch.setenv(name, secret)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / secret))
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"Authorization: {secret}")
    result = run(
        tmp_path,
        f"""
        import os, pathlib, tempfile

        def test_environment():
            assert not [name for name, value in os.environ.items() if {secret!r} in value]
            assert "SSH_AUTH_SOCK" not in os.environ

        def test_home_is_its_own_and_empty():
            home = pathlib.Path.home()
            assert home != pathlib.Path({str(Path.home())!r})
            assert not (home / ".ssh").exists() and not (home / ".netrc").exists()
            assert pathlib.Path(tempfile.gettempdir()) == home

        def test_standard_input_is_empty():
            assert os.read(0, 1) == b""
        """,
    )
    assert [
        (case.name, case.outcome, case.message) for case in result.cases if case.outcome is not CaseOutcome.PASSED
    ] == []


def test_a_suite_sees_no_other_process_and_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if obstacle():
        pytest.skip("this machine lets no process have its own network and process tree")
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_0123456789abcdef")
    result = run(
        tmp_path,
        f"""
        import contextlib, os, pathlib, socket, pytest

        def test_no_environment_of_another_process():
            seen = []
            for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
                with contextlib.suppress(PermissionError):
                    seen.append(path.read_bytes())
            assert seen and not [each for each in seen if b"ghs_" in each]

        def test_parent_is_not_the_bot():
            assert not pathlib.Path("/proc/{os.getpid()}").exists() or os.getppid() == 1

        def test_no_network():
            names = [name for _, name in socket.if_nameindex()]
            assert names == ["lo"]
            with pytest.raises(OSError):
                socket.create_connection(("192.0.2.1", 80), timeout=3)
        """,
    )
    assert [(case.name, case.message) for case in result.cases if case.outcome is not CaseOutcome.PASSED] == []
