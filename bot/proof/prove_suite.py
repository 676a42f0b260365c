"""Runs a regression suite on this machine, in two processes: first on the base, then on the candidate.

The processes get no token, no agent, no home and, where the kernel allows it, no network. A failing case is never run
again.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event

from bot.environment.temporary_folders import scratch_folder
from bot.environment.trace import span
from bot.errors import SuiteError
from bot.models import CommandSuite, Progress, StopWhen, Suite, SuiteRun, Verdict, never, silent
from bot.proof.command_suite import run_command
from bot.proof.isolated_command import DEFAULT, IsolationSettings
from bot.proof.judge import judge_suite
from bot.proof.kernel_cache import lend_kernels, look_through
from bot.proof.pytest_suite import run_suite
from bot.proof.run_isolated import RunOptions, StartGate
from bot.proof.run_order import RunOrder, choose_order, first_writable

DEVICES = ("auto", "cpu", "cuda", "rocm")
_GLANCE = 1.0
"""Seconds between two questions whether to stop."""


def prove(  # noqa: PLR0913 - two trees and a suite; what else there is has a default
    base: Path,
    candidate: Path,
    suite: Suite | CommandSuite,
    *,
    device: str = "auto",
    progress: Progress = silent,
    resolved_patches: Callable[[], frozenset[str]] = frozenset,
    isolation: IsolationSettings = DEFAULT,
    candidate_isolation: IsolationSettings | None = None,
    keep: Path | None = None,
    kernels: Path | None = None,
    gate: StartGate | None = None,
    stop_when: StopWhen = never,
) -> Verdict:
    """Run the suite on the base, then on the candidate, and judge. Both are directories with the target's plain files.

    `device` is auto, cpu, cuda or rocm; one that is not there ends inconclusive and says so. `resolved_patches` names
    the carried patches whose fix the candidate contains; it is asked after the runs. Both reports are kept in the
    folder `keep`, and what the base run of a carried patch's suite compiles in the folder `kernels`, which is for this
    base alone. A suite that takes turns starts up at once, and begins with `gate`: until then nothing has to be in the
    two directories. The candidate run has `candidate_isolation`, if that differs. `stop_when` is asked about every
    second, in this thread; once it is true both runs are ended.

    Raises:
        SuiteError: there is no suite to run.
    """
    _refuse(suite, device)
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)

    run = partial(_run, suite, candidate=candidate, device=device, progress=progress)
    keeps = [kernels] if kernels and isinstance(suite, Suite) else []
    look_through(*keeps)
    with scratch_folder("backport-kernels-") as scratch:
        base_kernels = first_writable(*keeps, scratch / "base")
        candidate_kernels = first_writable(scratch / "candidate")
        first = RunOptions(isolation=isolation, kernels=base_kernels, keep=keep, gate=gate or StartGate())
        second = replace(
            first,
            isolation=candidate_isolation or isolation,
            kernels=candidate_kernels,
            readable=(base_kernels,),
            gate=StartGate(scratch / "turn" / "begun"),
        )
        run_order = choose_order(suite, device, isolation)

        def begin() -> None:
            lend_kernels(base_kernels, candidate_kernels)
            second.gate.open()

        def give_second(_: object = None) -> None:
            first.gate.when_open(partial(_unless_ended, second, begin))

        # With one worker the candidate run begins when the base run has ended.
        with ThreadPoolExecutor(max_workers=1 if run_order is RunOrder.AFTER else 2) as runs:
            if not first.gate.is_open():
                progress("base run: starting up for its turn")
            for name, options in (("base", first), ("candidate", second)):
                options.gate.when_open(partial(_unless_ended, options, partial(progress, f"{name} run: started")))
            of_base = runs.submit(run, base, name="base", options=first)
            give_second() if run_order is RunOrder.TOGETHER else of_base.add_done_callback(give_second)
            of_candidate = runs.submit(run, candidate, name="candidate", options=second)
            _attend(of_base, of_candidate, first.stop, stop_when)
        # Code of the base could write to this folder, and later proofs load kernels from it.
        look_through(*keeps)
        return judge_suite(suite, of_base.result(), of_candidate.result(), resolved_patches=resolved_patches())


def _run(
    suite: Suite | CommandSuite,
    tree: Path,
    *,
    name: str,
    candidate: Path,
    device: str,
    progress: Progress,
    options: RunOptions,
) -> SuiteRun:
    try:
        with span("suite run", tree=name):
            if isinstance(suite, Suite):
                return run_suite(tree, suite, name=name, device=device, progress=progress, options=options)
            return run_command(
                tree, suite, name=name, overlay_from=candidate, device=device, progress=progress, options=options
            )
    except OSError as error:  # a full disk, say
        problem = f"its files could not be used: {error.strerror or error}."
        return SuiteRun(
            tree=name, cases=(), device=None, seconds=0.0, problem=problem, image=options.isolation.image_digest
        )


def _unless_ended(options: RunOptions, call: Callable[[], object]) -> None:
    """Call it, but not for a run that ended before its turn: its folders may be gone."""
    if not (options.stop.is_set() or options.gate.process_ended.is_set()):
        call()


def _attend(of_base: Future[SuiteRun], of_candidate: Future[SuiteRun], stop: Event, stop_when: StopWhen) -> None:
    """Wait for both runs, and end them where nobody needs them any more or this thread is interrupted."""
    try:
        while wait((of_base, of_candidate), timeout=_GLANCE).not_done and not stop.is_set():
            if stop_when():
                stop.set()
    finally:
        stop.set()


def _refuse(suite: Suite | CommandSuite, device: str) -> None:
    if device not in DEVICES:
        raise SuiteError(
            f"There is no device kind `{device}`; nothing was run.", hint=f"Use one of {', '.join(DEVICES)}."
        )
    if isinstance(suite, Suite) and not suite.directory.is_dir():
        raise SuiteError(
            f"The suite folder {suite.directory} is not there; nothing was run.", hint="Check `suite:` in patch.yaml."
        )
