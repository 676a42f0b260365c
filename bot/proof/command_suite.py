"""Tests of the target's own: a command, run in a copy of the tree.

A command without a report is one case, whose outcome is its exit code. Nothing is run twice.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bot.environment.temporary_folders import scratch_folder
from bot.environment.untrusted_files import write_file
from bot.errors import SuiteError
from bot.models import (
    BUILD,
    COMMAND,
    JUNIT,
    CaseOutcome,
    CaseResult,
    CommandSuite,
    Progress,
    ReportFormat,
    SuiteRun,
    silent,
)
from bot.proof.case_reports import as_junit, read_cases
from bot.proof.device_check import check_device, visible_device
from bot.proof.explain_failure import lines_that_matter
from bot.proof.isolated_command import Launch
from bot.proof.junit import JUnitReport, read_report
from bot.proof.process import NOT_STARTED, ProcessResult
from bot.proof.progress import Reporter, last_case, last_lines, summary, why_stopped
from bot.proof.run_isolated import RunOptions, interpreter, run_isolated
from bot.proof.source_copy import Mark, copy_sources, lay_over, lay_test_modules_over, marks_of, take_out
from bot.proof.suite_environment import command_environment
from bot.proof.suite_notes import LISTED_CASES
from bot.proof.toolchains import toolchain_of

PYTHON = "{python}"
_BAD = (CaseOutcome.FAILED, CaseOutcome.ERROR)


_NO_TEST = re.compile(
    r"no tests? (?:ran|were run|found|collected|to run)|\[no test files\]|collected 0 items|\bran 0 tests\b"
    r"|\b0/0 (?:tests? )?(?:passed|ran)|^0 (?:tests?|passed)\b|\b0 tests? (?:ran|run|executed|passed|in total)",
    re.IGNORECASE,
)
"""What pytest, unittest, Go, Jest and sglang's run_suite.py print if there was nothing to run, some with exit code 0:
https://github.com/sgl-project/sglang/blob/main/test/run_suite.py"""
_SOME_TEST = re.compile(r"\bran [1-9]\d* tests?\b|\b[1-9]\d* (?:tests? )?(?:passed|failed)\b", re.IGNORECASE)


_REPORT = "report.xml"
_NO_REPORT_UNBUILT = (ReportFormat.MOCHA,)
"""Formats of commands that leave no report if a test cannot be loaded."""
_NO_REPORT = JUnitReport((), {})


@dataclass(frozen=True, slots=True)
class _Ending:
    problem: str
    report: JUnitReport = _NO_REPORT
    xml: bytes = b""


def run_command(
    tree: Path,
    suite: CommandSuite,
    *,
    name: str,
    overlay_from: Path | None = None,
    device: str = "auto",
    progress: Progress = silent,
    options: RunOptions | None = None,
) -> SuiteRun:
    """Run the command once on a copy of one tree. Every ending is a SuiteRun, as for a carried patch's suite.

    `overlay_from` is the tree whose overlay files and manifests are laid over the copy. If a run changes one of the
    first, it did not run the tests of the change, and is not usable.
    """
    options = options or RunOptions()
    with scratch_folder("backport-command-") as scratch:
        home, copy = scratch / "home", scratch / "tree"
        home.mkdir()
        # The command may change files, and the other suites of the proof use the same tree.
        copy_sources(tree, copy)
        if overlay_from is not None:
            lay_over(copy, overlay_from, (*suite.manifests, *suite.overlay))
            lay_test_modules_over(copy, overlay_from, suite.spliced)
        if suite.junit:
            take_out(copy, suite.junit)  # a report that the tree brings says nothing of this run
        # Taken after the copy and compared after the run: a test that rewrites itself proves nothing.
        marks = marks_of(copy, (*suite.overlay, *suite.spliced))
        report_file = scratch / _REPORT
        kernels = options.kernels or home / "triton"
        toolchain = toolchain_of(suite.tools)
        launch = Launch(
            command=[_fill(word, interpreter(options.isolation), report_file) for word in suite.command],
            directory=copy / suite.folder,
            environment=command_environment(home, kernels=kernels, target=copy, device=device)
            | dict(toolchain.environment)
            | dict(options.isolation.environment),
            readable=(*options.readable, *toolchain.readable),
            writable=(scratch, *((options.kernels,) if options.kernels else ())),
            device=device,
            programs=suite.tools,
        )
        result = run_isolated(launch, options, timeout=suite.timeout, watch=Reporter(name, progress)).seen_from(copy)
        ending = _read(result, suite, copy, f"{copy.name}/{suite.junit}" if suite.junit else _REPORT)
        overlay_problem = _overlay_problem(copy, marks)
        ending = replace(ending, problem=ending.problem or overlay_problem)
        device_of_run = ending.report.device or visible_device(launch, options)
    if options.keep is not None and ending.xml:
        write_file(options.keep, f"{name}.xml", ending.xml)
    run = SuiteRun(
        tree=name,
        cases=() if ending.problem else (_as_case(result, suite, ending.report), *ending.report.cases),
        device=device_of_run,
        seconds=time.monotonic() - options.gate.opened_at,
        problem=ending.problem,
        isolation=result.isolation,
    )
    run = check_device(device, run, options.isolation.image_digest)
    progress(f"{name} run: {summary(run)}")
    return run


def _fill(word: str, python: str, report: Path) -> str:
    return word.replace(PYTHON, python).replace(JUNIT, str(report))


def _read(result: ProcessResult, suite: CommandSuite, copy: Path, report: str) -> _Ending:
    """Return the reported cases, or why the run cannot be judged. Without a report the command is the only case.

    `report` is a path in the folder that the tree's copy is in.
    """
    problem = why_stopped(result, suite.timeout)
    if problem:
        return _Ending(problem)
    if result.code in NOT_STARTED:
        return _Ending(f"the command could not be started: {last_lines(result)}")
    if not suite.reports or (result.signal_name and not os.path.lexists(copy.parent / report)):
        return _Ending(_no_test(result))
    return _read_cases(result, suite, copy, report)


def _read_cases(result: ProcessResult, suite: CommandSuite, copy: Path, report: str) -> _Ending:
    try:
        content = read_report(copy.parent, report)
        junit = read_cases(content, suite.format, str(copy.resolve()))
    except FileNotFoundError:
        if suite.format in _NO_REPORT_UNBUILT:
            return _Ending("", _unbuilt(result))
        return _Ending(f"the command exited with {result.code} and left no report: {last_lines(result)}")
    except SuiteError as error:
        return _Ending(error.message)
    if not junit.cases and result.code and suite.format.builds_first:
        junit = _unbuilt(result)
    xml = content if suite.format in (ReportFormat.JUNIT, ReportFormat.SUREFIRE) else as_junit(junit.cases)
    return _Ending(_no_case(junit), junit, xml)


def _unbuilt(result: ProcessResult) -> JUnitReport:
    """Return the report of a run that ended before its first case: its tests could not be built."""
    message = "\n".join(lines_that_matter(result.tail))
    return JUnitReport((CaseResult(name=BUILD, outcome=CaseOutcome.ERROR, message=message),), {})


def _no_case(junit: JUnitReport) -> str:
    if not junit.cases:
        return "it collected no case."
    skips = all(case.outcome is CaseOutcome.SKIPPED for case in junit.cases)
    return f"it ran no case: {len(junit.cases)} collected, all of them skipped." if skips else ""


def _no_test(result: ProcessResult) -> str:
    """Say that a command without a report ended well and says itself that it ran no test; empty for any other end."""
    if result.code or any(_SOME_TEST.search(line) for line in result.tail):
        return ""
    line = next((line for line in result.tail if _NO_TEST.search(line)), None)
    return f"the command ran no test, as it says itself: {last_lines(result)}" if line is not None else ""


def _overlay_problem(copy: Path, marks: Mapping[str, Mark | None]) -> str:
    current_marks = marks_of(copy, marks)
    files = [file for file, mark in marks.items() if current_marks[file] != mark]
    return f"it changed {', '.join(files[:LISTED_CASES])}, which came with the change to test it." if files else ""


def _as_case(result: ProcessResult, suite: CommandSuite, report: JUnitReport) -> CaseResult:
    """Make the command itself a case, so that a failure which its report does not explain is not lost."""
    message = "; ".join(_failures(result, report))
    return CaseResult(
        name=f"{COMMAND}{suite.name}", outcome=CaseOutcome.FAILED if message else CaseOutcome.PASSED, message=message
    )


def _failures(result: ProcessResult, report: JUnitReport) -> Iterator[str]:
    if result.signal_name:
        yield f"ended by {result.signal_name}{last_case(result)}: {last_lines(result)}"
    elif result.code and not any(case.outcome in _BAD for case in report.cases):
        yield f"exited with {result.code}: {last_lines(result)}"
