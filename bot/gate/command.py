"""Tests of the target's own: a command, run in a copy of the tree.

Owns what a command's end means where no report of it says more: by its exit code it is one case. Nothing is run twice.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.errors import SuiteError
from bot.gate.confinement import Launch
from bot.gate.environment import command_environment
from bot.gate.junit import Report, parse_junit, read_report
from bot.gate.place import Shared, interpreter, run_confined
from bot.gate.process import NOT_STARTED, Finished
from bot.gate.progress import Reporter, last_case, last_lines, summary
from bot.model import CaseOutcome, CaseResult, CommandSuite, Device, Progress, SuiteRun, silent

JUNIT, PYTHON = "{junit}", "{python}"
_BAD = (CaseOutcome.FAILED, CaseOutcome.ERROR)


_NO_REPORT = Report((), {})


@dataclass(frozen=True, slots=True)
class _Ending:
    problem: str
    report: Report = _NO_REPORT


def run_command(
    tree: Path,
    suite: CommandSuite,
    *,
    name: str,
    overlay_from: Path | None = None,
    device: str = "auto",
    progress: Progress = silent,
    shared: Shared | None = None,
) -> SuiteRun:
    """Run the command once on a copy of one tree. Every ending is a SuiteRun, as for a carried patch's suite.

    `overlay_from` is the tree whose overlay files are laid over the copy.
    """
    shared = shared or Shared()
    with tempfile.TemporaryDirectory(prefix="backport-command-", ignore_cleanup_errors=True) as scratch:
        home, copy = Path(scratch, "home"), Path(scratch, "tree")
        home.mkdir()
        shutil.copytree(tree, copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        if overlay_from is not None:
            lay_over(copy, overlay_from, suite.overlay)
        written = Path(scratch, "report.xml")
        kernels = shared.kernels or home / "triton"
        launch = Launch(
            command=[_fill(word, interpreter(shared.confinement), written) for word in suite.command],
            directory=copy,
            environment=command_environment(home, kernels=kernels, target=copy, device=device),
            readable=shared.readable,
            writable=(Path(scratch), *((shared.kernels,) if shared.kernels else ())),
            device=device,
        )
        finished = run_confined(launch, shared, timeout=suite.timeout, watch=Reporter(name, progress))
        ending = _read(
            finished, suite, copy / suite.junit if suite.junit else written, shared.keep and shared.keep / f"{name}.xml"
        )
    run = SuiteRun(
        tree=name,
        cases=() if ending.problem else (_as_case(finished, suite, ending.report), *ending.report.cases),
        device=ending.report.device or _machine(),
        seconds=time.monotonic() - shared.turn.since,
        problem=ending.problem,
    )
    progress(f"{name} run: {summary(run)}")
    return run


def lay_over(copy: Path, source: Path, files: tuple[str, ...]) -> None:
    """Bring files of one tree into a copy of another; one that the source lacks goes from the copy too.

    Raises:
        SuiteError: a link in the copy leads out of it, and the file would be written there.
    """
    for file in files:
        place = copy / file
        if not place.parent.resolve().is_relative_to(copy.resolve()):
            raise SuiteError(f"{file} lies behind a link that leaves the tree; nothing was run.", hint="Look at it.")
        place.unlink(missing_ok=True)
        if os.path.lexists(source / file):
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / file, place, follow_symlinks=False)


def _fill(word: str, python: str, report: Path) -> str:
    return word.replace(PYTHON, python).replace(JUNIT, str(report))


def _read(finished: Finished, suite: CommandSuite, report: Path, keep: Path | None) -> _Ending:
    """Say why a run cannot be judged, or return what it reported; without a report the command is the only case."""
    if finished.timed_out:
        return _Ending(f"it was stopped after {suite.timeout:g} s{last_case(finished)}.")
    if finished.code in NOT_STARTED:
        return _Ending(f"the command could not be started: {last_lines(finished)}")
    reports = bool(suite.junit) or any(JUNIT in word for word in suite.command)
    if not reports or (finished.signal_name and not report.is_file()):
        return _Ending("")
    try:
        xml = read_report(report)
        parsed = parse_junit(xml)
    except FileNotFoundError:
        return _Ending(f"the command exited with {finished.code} and left no report: {last_lines(finished)}")
    except SuiteError as error:
        return _Ending(error.message)
    if keep is not None:
        keep.write_bytes(xml)
    return _Ending("" if parsed.cases else "it collected no case.", parsed)


def _as_case(finished: Finished, suite: CommandSuite, report: Report) -> CaseResult:
    """Make the command itself a case: what its report does not explain must not get lost."""
    said = "; ".join(_failures(finished, report))
    return CaseResult(
        name=f"command::{suite.name}", outcome=CaseOutcome.FAILED if said else CaseOutcome.PASSED, message=said
    )


def _failures(finished: Finished, report: Report) -> Iterator[str]:
    if finished.signal_name:
        yield f"ended by {finished.signal_name}{last_case(finished)}: {last_lines(finished)}"
    elif finished.code and not any(case.outcome in _BAD for case in report.cases):
        yield f"exited with {finished.code}: {last_lines(finished)}"


def _machine() -> Device:
    """Name this machine, where the command's report names no device."""
    nodes = {"/dev/kfd": "rocm", "/dev/nvidiactl": "cuda"}
    kind = next((kind for node, kind in nodes.items() if Path(node).exists()), "cpu")
    name, arch = f"{os.cpu_count()} CPUs", platform.machine()
    return Device(kind=kind, name=name, arch=arch, versions={"python": platform.python_version()})
