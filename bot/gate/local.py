"""The regression suite in processes of their own on this machine: base first, then candidate.

Owns two suite runs and their temporary folders. The processes get no token, no agent, no home and, where the kernel
allows it, no network; a failing case is never run again.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from bot.errors import SuiteError
from bot.gate.command import run_command
from bot.gate.confinement import DEFAULT, Confinement, Launch
from bot.gate.environment import suite_environment
from bot.gate.judge import judge_suite
from bot.gate.junit import Report, parse_junit, read_report
from bot.gate.place import Shared, interpreter, run_confined
from bot.gate.process import Finished
from bot.gate.progress import Reporter, last_case, last_lines, summary
from bot.model import CaseOutcome, CommandSuite, Progress, StopWhen, Suite, SuiteRun, Verdict, never, silent

NO_DEVICE_CODE = 64
"""The exit code by which a suite says that the device it was told to use is not there; its last line says which."""
DEVICES = ("auto", "cpu", "cuda", "rocm")
_EXIT = re.compile(r"^!* ?(?:_pytest\.outcomes\.)?Exit: (.*?)[ !]*$")
"""How pytest prints why it was told to leave."""

_GLANCE = 1.0
"""Seconds between two questions whether to stop."""


def prove(  # noqa: PLR0913 - two trees and a suite; what else there is has a default
    base: Path,
    candidate: Path,
    suite: Suite | CommandSuite,
    *,
    device: str = "auto",
    progress: Progress = silent,
    resolved: frozenset[str] = frozenset(),
    confinement: Confinement = DEFAULT,
    keep: Path | None = None,
    stop_when: StopWhen = never,
) -> Verdict:
    """Run the suite on the base, then on the candidate, and judge. Both are directories with the target's plain files.

    `device` is auto, cpu, cuda or rocm; one that is not there ends inconclusive and says so. `resolved` names the
    carried patches whose fix the candidate contains. Both reports are kept in the folder `keep`. `stop_when` is asked
    about every second, in this thread; once it is true both runs are ended. Raises SuiteError where there is no suite
    to run.
    """
    if device not in DEVICES:
        raise SuiteError(
            f"There is no device kind `{device}`; nothing was run.", hint=f"Use one of {', '.join(DEVICES)}."
        )
    if isinstance(suite, Suite) and not suite.directory.is_dir():
        raise SuiteError(
            f"The suite folder {suite.directory} is not there; nothing was run.", hint="Check `suite:` in patch.yaml."
        )
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="backport-kernels-") as scratch,
        ThreadPoolExecutor(max_workers=2 if _side_by_side(device, confinement) else 1) as runs,
    ):
        shared = Shared(confinement=confinement, kernels=Path(scratch), keep=keep)

        def run(tree: Path, name: str) -> SuiteRun:
            if isinstance(suite, CommandSuite):
                return run_command(
                    tree, suite, name=name, overlay_from=candidate, device=device, progress=progress, shared=shared
                )
            return run_suite(tree, suite, name=name, device=device, progress=progress, shared=shared)

        first, second = runs.submit(run, base, "base"), runs.submit(run, candidate, "candidate")
        try:
            while wait((first, second), timeout=_GLANCE).not_done and not shared.stop.is_set():
                if stop_when():
                    shared.stop.set()
            return judge_suite(suite, first.result(), second.result(), resolved=resolved)
        finally:
            shared.stop.set()


def run_suite(
    tree: Path,
    suite: Suite,
    *,
    name: str,
    device: str = "auto",
    progress: Progress = silent,
    shared: Shared | None = None,
) -> SuiteRun:
    """Run the suite once on one tree. Every ending is a SuiteRun; one that allows no verdict says why in `problem`."""
    shared = shared or Shared()
    start = time.monotonic()
    progress(f"{name} run: started")
    with tempfile.TemporaryDirectory(prefix="backport-suite-") as scratch:
        home, report = Path(scratch, "home"), Path(scratch, "report.xml")
        home.mkdir()
        launch = Launch(
            command=_command(suite, Path(scratch), report, interpreter(shared.confinement)),
            directory=suite.directory,
            environment=suite_environment(
                home,
                kernels=shared.kernels or home / "triton",
                target=tree,
                device=device,
                import_paths=suite.import_paths,
            ),
            readable=(tree, suite.directory, *suite.import_paths),
            writable=(Path(scratch), *((shared.kernels,) if shared.kernels else ())),
            device=device,
        )
        finished = run_confined(launch, shared, timeout=suite.timeout, watch=Reporter(name, progress))
        problem, parsed = _read(finished, report, suite.timeout, shared.keep and shared.keep / f"{name}.xml")
    seconds = time.monotonic() - start
    run = SuiteRun(tree=name, cases=parsed.cases, device=parsed.device, seconds=seconds, problem=problem)
    progress(f"{name} run: {summary(run)}")
    return run


def _command(suite: Suite, scratch: Path, report: Path, python: str) -> list[str]:
    """Build the pytest command line. An empty configuration file keeps the settings of whatever lies around it out."""
    settings = scratch / "pytest.ini"
    settings.write_text("[pytest]\n", encoding="utf-8")
    options = [
        "--rootdir",
        str(suite.directory.resolve()),
        "--import-mode=importlib",
        "--continue-on-collection-errors",
    ]
    output = ["-v", "--tb=line", "--show-capture=no", "-o", "console_output_style=count", f"--junitxml={report}"]
    isolation = ["-c", str(settings), "-p", "no:cacheprovider", "-o", "junit_family=xunit1"]
    return [python, "-m", "pytest", *isolation, *options, *output, "."]


def _read(finished: Finished, report: Path, timeout: float, keep: Path | None) -> tuple[str, Report]:
    """Say what is wrong with a run, if anything, and what it reported all the same."""
    empty = Report((), {})
    if finished.timed_out:
        return f"it was stopped after {timeout:g} s{last_case(finished)}.", empty
    if finished.code == NO_DEVICE_CODE:
        reasons = [found[1] for line in finished.tail if (found := _EXIT.match(line))]
        return f"no device: {reasons[-1] if reasons else 'the suite gave no reason'}", empty
    if finished.signal_name:
        return f"its process was ended by {finished.signal_name}{last_case(finished)}.", empty
    try:
        xml = read_report(report)
        parsed = parse_junit(xml)
    except FileNotFoundError:
        return f"pytest exited with {finished.code} and left no report: {last_lines(finished)}", empty
    except SuiteError as error:
        return error.message, empty
    if keep is not None:
        keep.write_bytes(xml)
    return _contradiction(finished, parsed), parsed


def _contradiction(finished: Finished, parsed: Report) -> str:
    """A report is believed only with the exit code that goes with it."""
    if not parsed.cases:
        return "it collected no case."
    bad = any(case.outcome in (CaseOutcome.FAILED, CaseOutcome.ERROR) for case in parsed.cases)
    if finished.code not in (0, 1) or (finished.code == 0 and bad):
        return f"pytest exited with {finished.code}, which its report does not explain: {last_lines(finished)}"
    return ""


def _side_by_side(device: str, confinement: Confinement) -> bool:
    """On a CPU the two runs share nothing and go side by side; on a GPU they take turns, base first.

    So do they where they share a network, on which both would want the same port.
    """
    no_gpu = not any(Path(node).exists() for node in ("/dev/kfd", "/dev/nvidiactl", "/dev/dxg"))
    alone = device == "cpu" or (device == "auto" and no_gpu)
    return alone and not confinement.network and (os.cpu_count() or 1) > 1
