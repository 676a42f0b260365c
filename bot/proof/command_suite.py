"""Tests of the target's own: a command, run in a copy of the tree.

Owns what a command's end means where no report of it says more: by its exit code it is one case. Nothing is run twice.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bot.environment.temporary_folders import scratch_folder
from bot.environment.untrusted_files import write_file
from bot.errors import SuiteError
from bot.models import COMMAND, CaseOutcome, CaseResult, CommandSuite, Device, Progress, SuiteRun, silent
from bot.proof.isolation import Launch
from bot.proof.judge import NAMED
from bot.proof.junit import Report, parse_junit, read_report
from bot.proof.launcher import Shared, interpreter, run_confined
from bot.proof.process import NOT_STARTED, Finished
from bot.proof.progress import Reporter, last_case, last_lines, summary, why_stopped
from bot.proof.source_copy import Mark, copy_sources, lay_over, marks_of
from bot.proof.suite_environment import command_environment

JUNIT, PYTHON = "{junit}", "{python}"
_BAD = (CaseOutcome.FAILED, CaseOutcome.ERROR)


_REPORT = "report.xml"
_NO_REPORT = Report((), {})


@dataclass(frozen=True, slots=True)
class _Ending:
    problem: str
    report: Report = _NO_REPORT
    xml: bytes = b""


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

    `overlay_from` is the tree whose overlay files are laid over the copy. A run that changes one of them says nothing
    of the tests that came with the change, and is not usable.
    """
    shared = shared or Shared()
    with scratch_folder("backport-command-") as scratch:
        home, copy = scratch / "home", scratch / "tree"
        home.mkdir()
        copy_sources(tree, copy)
        if overlay_from is not None:
            lay_over(copy, overlay_from, suite.overlay)
        laid = marks_of(copy, suite.overlay)
        written = scratch / _REPORT
        kernels = shared.kernels or home / "triton"
        launch = Launch(
            command=[_fill(word, interpreter(shared.confinement), written) for word in suite.command],
            directory=copy,
            environment=command_environment(home, kernels=kernels, target=copy, device=device),
            readable=shared.readable,
            writable=(scratch, *((shared.kernels,) if shared.kernels else ())),
            device=device,
        )
        finished = run_confined(launch, shared, timeout=suite.timeout, watch=Reporter(name, progress))
        ending = _read(finished, suite, scratch, f"{copy.name}/{suite.junit}" if suite.junit else _REPORT)
        changed = _changed(copy, laid)
        ending = replace(ending, problem=ending.problem or changed)
    if shared.keep is not None and ending.xml:
        write_file(shared.keep, f"{name}.xml", ending.xml)
    run = SuiteRun(
        tree=name,
        cases=() if ending.problem else (_as_case(finished, suite, ending.report), *ending.report.cases),
        device=ending.report.device or _machine(),
        seconds=time.monotonic() - shared.turn.since,
        problem=ending.problem,
        isolation=finished.isolation,
    )
    progress(f"{name} run: {summary(run)}")
    return run


def _fill(word: str, python: str, report: Path) -> str:
    return word.replace(PYTHON, python).replace(JUNIT, str(report))


def _read(finished: Finished, suite: CommandSuite, folder: Path, report: str) -> _Ending:
    """Say why a run cannot be judged, or return what it reported; without a report the command is the only case."""
    stopped = why_stopped(finished, suite.timeout)
    if stopped:
        return _Ending(stopped)
    if finished.code in NOT_STARTED:
        return _Ending(f"the command could not be started: {last_lines(finished)}")
    reports = bool(suite.junit) or any(JUNIT in word for word in suite.command)
    if not reports or (finished.signal_name and not os.path.lexists(folder / report)):
        return _Ending("")
    try:
        xml = read_report(folder, report)
        parsed = parse_junit(xml)
    except FileNotFoundError:
        return _Ending(f"the command exited with {finished.code} and left no report: {last_lines(finished)}")
    except SuiteError as error:
        return _Ending(error.message)
    return _Ending("" if parsed.cases else "it collected no case.", parsed, xml)


def _changed(copy: Path, laid: Mapping[str, Mark | None]) -> str:
    now = marks_of(copy, laid)
    changed = [file for file, mark in laid.items() if now[file] != mark]
    return f"it changed {', '.join(changed[:NAMED])}, which came with the change to test it." if changed else ""


def _as_case(finished: Finished, suite: CommandSuite, report: Report) -> CaseResult:
    """Make the command itself a case: what its report does not explain must not get lost."""
    said = "; ".join(_failures(finished, report))
    return CaseResult(
        name=f"{COMMAND}{suite.name}", outcome=CaseOutcome.FAILED if said else CaseOutcome.PASSED, message=said
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
