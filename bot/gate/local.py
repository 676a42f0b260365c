"""The regression suite in processes of their own on this machine: base first, then candidate.

Owns two suite runs and their temporary folders. The processes get no token, no agent, no home and, where the kernel
allows it, no network; a failing case is never run again.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from bot.errors import SuiteError
from bot.gate.environment import suite_environment
from bot.gate.judge import judge
from bot.gate.junit import Report, parse_junit
from bot.gate.process import Finished, run_confined
from bot.model import CaseOutcome, Progress, Suite, SuiteRun, Verdict, silent

NO_DEVICE_CODE = 64
"""The exit code by which a suite says that the device it was told to use is not there; its last line says which."""
DEVICES = ("auto", "cpu", "cuda", "rocm")
_COUNT = re.compile(r"^(?P<case>\S+::.+?) (?P<outcome>[A-Z]+).* \[ *(?P<done>\d+)/(?P<all>\d+)\]$")
_STARTED = re.compile(r"^(\S+::\S+)")
_EXIT = re.compile(r"^!* ?(?:_pytest\.outcomes\.)?Exit: (.*?)[ !]*$")
"""How pytest prints why it was told to leave."""


def prove(
    base: Path,
    candidate: Path,
    suite: Suite,
    *,
    device: str = "auto",
    progress: Progress = silent,
    resolved: frozenset[str] = frozenset(),
) -> Verdict:
    """Run the suite on the base, then on the candidate, and judge. Both are directories with the target's plain files.

    `device` is auto, cpu, cuda or rocm; one that is not there ends inconclusive and says so. `resolved` names the
    carried patches whose fix the candidate contains. Raises SuiteError where there is no suite to run.
    """
    if device not in DEVICES:
        raise SuiteError(
            f"There is no device kind `{device}`; nothing was run.", hint=f"Use one of {', '.join(DEVICES)}."
        )
    if not suite.directory.is_dir():
        raise SuiteError(
            f"The suite folder {suite.directory} is not there; nothing was run.", hint="Check `suite:` in patch.yaml."
        )
    with (
        tempfile.TemporaryDirectory(prefix="backport-kernels-") as scratch,
        ThreadPoolExecutor(max_workers=2 if _side_by_side(device) else 1) as runs,
    ):
        stop = threading.Event()
        run = partial(run_suite, suite=suite, device=device, progress=progress, kernels=Path(scratch), stop=stop)
        first, second = runs.submit(run, base, name="base"), runs.submit(run, candidate, name="candidate")
        try:
            return judge(first.result(), second.result(), known_failures=suite.known_failures, resolved=resolved)
        finally:
            stop.set()


def run_suite(
    tree: Path,
    suite: Suite,
    *,
    name: str,
    device: str = "auto",
    progress: Progress = silent,
    kernels: Path | None = None,
    stop: threading.Event | None = None,
) -> SuiteRun:
    """Run the suite once on one tree. Every ending is a SuiteRun; one that allows no verdict says why in `problem`.

    Compiled kernels are kept in `kernels`, or for this run alone. Setting `stop` from another thread ends the run.
    """
    start = time.monotonic()
    progress(f"{name} run: started")
    with tempfile.TemporaryDirectory(prefix="backport-suite-") as scratch:
        home, report = Path(scratch, "home"), Path(scratch, "report.xml")
        home.mkdir()
        finished = run_confined(
            _command(suite, Path(scratch), report),
            directory=suite.directory,
            environment=suite_environment(
                home,
                kernels=kernels or home / "triton",
                target=tree,
                device=device,
                import_paths=suite.import_paths,
            ),
            timeout=suite.timeout,
            watch=_Reporter(name, progress),
            stop=stop,
        )
        problem, parsed = _read(finished, report, suite.timeout)
    seconds = time.monotonic() - start
    run = SuiteRun(tree=name, cases=parsed.cases, device=parsed.device, seconds=seconds, problem=problem)
    progress(f"{name} run: {_summary(run)}")
    return run


def _command(suite: Suite, scratch: Path, report: Path) -> list[str]:
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
    return [sys.executable, "-m", "pytest", *isolation, *options, *output, "."]


def _read(finished: Finished, report: Path, timeout: float) -> tuple[str, Report]:
    """Say what is wrong with a run, if anything, and what it reported all the same."""
    empty = Report((), {})
    if finished.timed_out:
        return f"it was stopped after {timeout:g} s{_last_case(finished)}.", empty
    if finished.code == NO_DEVICE_CODE:
        reasons = [found[1] for line in finished.tail if (found := _EXIT.match(line))]
        return f"no device: {reasons[-1] if reasons else 'the suite gave no reason'}", empty
    if finished.signal_name:
        return f"its process was ended by {finished.signal_name}{_last_case(finished)}.", empty
    if not report.is_file():
        return f"pytest exited with {finished.code} and left no report: {_last_lines(finished)}", empty
    try:
        parsed = parse_junit(report.read_bytes())
    except SuiteError as error:
        return error.message, empty
    return _contradiction(finished, parsed), parsed


def _contradiction(finished: Finished, parsed: Report) -> str:
    """A report is believed only with the exit code that goes with it."""
    if not parsed.cases:
        return "it collected no case."
    bad = any(case.outcome in (CaseOutcome.FAILED, CaseOutcome.ERROR) for case in parsed.cases)
    if finished.code not in (0, 1) or (finished.code == 0 and bad):
        return f"pytest exited with {finished.code}, which its report does not explain: {_last_lines(finished)}"
    return ""


def _last_case(finished: Finished) -> str:
    """Name the case that was running: pytest prints its name when it starts and its outcome when it ends."""
    for line in reversed(finished.tail):
        started = _STARTED.match(line)
        if started and not _COUNT.match(line):
            return f" during {started[1]}"
    return ""


def _last_lines(finished: Finished) -> str:
    return " / ".join(line for line in finished.tail[-5:] if line.strip()) or "it printed nothing"


def _side_by_side(device: str) -> bool:
    """On a CPU the two runs share nothing and go side by side; on a GPU they take turns, base first."""
    no_gpu = not any(Path(node).exists() for node in ("/dev/kfd", "/dev/nvidiactl", "/dev/dxg"))
    return (device == "cpu" or (device == "auto" and no_gpu)) and (os.cpu_count() or 1) > 1


def _summary(run: SuiteRun) -> str:
    if run.problem:
        return run.problem
    counts = ", ".join(f"{run.count(outcome)} {outcome}" for outcome in CaseOutcome if run.count(outcome))
    return f"{counts} in {run.seconds:.1f} s on {run.device or 'an unnamed device'}"


class _Reporter:
    """Turns pytest's lines into a progress line at each fifth of the cases."""

    def __init__(self, name: str, progress: Progress) -> None:
        self._name, self._progress, self._told = name, progress, 0

    def __call__(self, line: str) -> None:
        count = _COUNT.match(line)
        if count and int(count["done"]) * 5 // int(count["all"]) > self._told:
            self._told = int(count["done"]) * 5 // int(count["all"])
            self._progress(f"{self._name} run: {count['done']} of {count['all']} cases")
