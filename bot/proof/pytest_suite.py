"""One run of a carried patch's suite: pytest in a process of its own.

Every ending is a SuiteRun. An exit code that its report does not explain is a problem, not a pass.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bot.environment.temporary_folders import scratch_folder
from bot.environment.untrusted_files import write_file
from bot.errors import SuiteError
from bot.models import CaseOutcome, Progress, Suite, SuiteRun, silent
from bot.proof.device_check import check_device
from bot.proof.isolated_command import Launch
from bot.proof.junit import JUnitReport, parse_junit, read_report
from bot.proof.process import NOT_STARTED, ProcessResult
from bot.proof.progress import Reporter, last_case, last_lines, summary, why_stopped
from bot.proof.run_isolated import RunOptions, interpreter, run_isolated
from bot.proof.source_copy import copy_sources
from bot.proof.suite_environment import suite_environment

NO_DEVICE_CODE = 64
"""The exit code by which a suite says that the device it was told to use is not there; its last line says which."""
_EXIT = re.compile(r"!* ?(?:_pytest\.outcomes\.)?Exit: ")
"""How pytest begins to print why it was told to leave; blanks and more exclamation marks end the line."""
_REPORT, _SEAL = "report.xml", "seal"
_PYTEST = Path(__file__).with_name("pytest_program.py").read_text(encoding="utf-8")
"""Handed over as text: the interpreter may be a container's, where this package is not."""


def run_suite(
    tree: Path,
    suite: Suite,
    *,
    name: str,
    device: str = "auto",
    progress: Progress = silent,
    options: RunOptions | None = None,
) -> SuiteRun:
    """Run the suite once on one tree. Every ending is a SuiteRun; one that allows no verdict says why in `problem`.

    Its seconds count from its turn.
    """
    options = options or RunOptions()
    with scratch_folder("backport-suite-") as scratch, _visible_sources(suite, options) as files:
        home = scratch / "home"
        home.mkdir()
        # Code of the target may write to the folder of the report. Without the secret it cannot make a valid one.
        secret = secrets.token_bytes(32)
        (scratch / _SEAL).write_bytes(secret)
        launch = Launch(
            command=_command(scratch, interpreter(options.isolation)),
            directory=files.directory,
            environment=suite_environment(
                home,
                kernels=options.kernels or home / "triton",
                target=tree,
                device=device,
                import_paths=files.import_paths,
                turn=options.gate.file,
            )
            | dict(options.isolation.environment),
            readable=(tree, files.directory, *files.import_paths, *options.readable, *options.gate.folder),
            writable=(scratch, *((options.kernels,) if options.kernels else ())),
            device=device,
        )
        result = run_isolated(launch, options, timeout=suite.timeout, watch=Reporter(name, progress))
        problem, junit, xml = _read(result, scratch, suite.timeout, secret)
    if options.keep is not None and xml:
        write_file(options.keep, f"{name}.xml", xml)
    seconds = time.monotonic() - options.gate.opened_at
    run = SuiteRun(
        tree=name,
        cases=junit.cases,
        device=junit.device,
        seconds=seconds,
        problem=problem,
        isolation=result.isolation,
        covered=junit.covered,
    )
    run = check_device(device, run, options.isolation.image_digest)
    progress(f"{name} run: {summary(run)}")
    return run


@contextmanager
def _visible_sources(suite: Suite, options: RunOptions) -> Iterator[Suite]:
    """Copy a suite's files to a folder that the daemon of a container can see."""
    if options.isolation.image is None:
        yield suite
        return
    with scratch_folder("backport-suite-files-") as folder:
        copies = {path: folder / str(number) for number, path in enumerate((suite.directory, *suite.import_paths))}
        for path, copy in copies.items():
            copy_sources(path, copy, without=frozenset({"__pycache__"}))
        import_paths = tuple(copies[path] for path in suite.import_paths)
        yield replace(suite, directory=copies[suite.directory], import_paths=import_paths)


def _command(scratch: Path, python: str) -> list[str]:
    """Build the pytest command line. An empty configuration file keeps out the settings of the folders around it."""
    settings = scratch / "pytest.ini"
    settings.write_text("[pytest]\n", encoding="utf-8")
    options = [
        "--rootdir",
        ".",  # the suite's folder: pytest would look for variables in its name
        "--import-mode=importlib",
        "--continue-on-collection-errors",
    ]
    output = [
        "-v",
        "--tb=line",
        "--show-capture=no",
        "-o",
        "console_output_style=count",
        f"--junitxml={scratch / _REPORT}",
    ]
    isolation = ["-c", str(settings), "-p", "no:cacheprovider", "-o", "junit_family=xunit1"]
    return [python, "-c", _PYTEST, *isolation, *options, *output, "."]


def _read(result: ProcessResult, scratch: Path, timeout: float, secret: bytes) -> tuple[str, JUnitReport, bytes]:
    """Return the problem of a run, if any, and its report, both parsed and as bytes."""
    no_report = JUnitReport((), {}), b""
    problem = why_stopped(result, timeout)
    if problem:
        return problem, *no_report
    if result.code == NO_DEVICE_CODE:
        reasons = [line[match.end() :].rstrip(" !") for line in result.tail if (match := _EXIT.match(line))]
        return f"no device: {reasons[-1] if reasons else 'the suite gave no reason'}", *no_report
    # A crash can leave a complete report of the cases before it, which must not count.
    if result.signal_name:
        return f"its process was ended by {result.signal_name}{last_case(result)}.", *no_report
    try:
        xml = _check_seal(scratch, read_report(scratch, _REPORT), secret)
        junit = parse_junit(xml)
    except FileNotFoundError:
        cause = "it could not be started" if result.code in NOT_STARTED else "pytest left no report"
        return f"{cause} (exit code {result.code}): {last_lines(result)}", *no_report
    except SuiteError as error:
        return error.message, *no_report
    return _contradiction(result, junit), junit, xml


def _check_seal(scratch: Path, xml: bytes, secret: bytes) -> bytes:
    """Return a report that the process which was given the secret wrote: others can write to its folder.

    Raises SuiteError for another one.
    """
    digest = hmac.new(secret, xml, hashlib.sha256).hexdigest().encode()
    try:
        seal = read_report(scratch, f"{_REPORT}.{_SEAL}")
    except FileNotFoundError:
        seal = b""
    if not hmac.compare_digest(seal, digest):
        raise SuiteError(
            "its report is not the one that the suite's own process wrote.",
            hint="Code that the suite ran wrote to the suite's folder; look at the candidate.",
        )
    return xml


def _contradiction(result: ProcessResult, junit: JUnitReport) -> str:
    """A report is believed only with the exit code that goes with it."""
    if not junit.cases:
        return "it collected no case."
    bad = any(case.outcome in (CaseOutcome.FAILED, CaseOutcome.ERROR) for case in junit.cases)
    if result.code not in (0, 1) or (result.code == 0 and bad):
        return f"pytest exited with {result.code}, which its report does not explain: {last_lines(result)}"
    return ""
