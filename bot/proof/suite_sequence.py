"""Runs the suites of one proof, one after the other on one machine.

If all of them take turns on a GPU, the next one starts up while one has the device: imports are most of a suite's time
there.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Protocol

from bot.environment.temporary_folders import scratch_folder
from bot.models import CommandSuite, StopWhen, Suite, Verdict
from bot.proof.isolated_command import IsolationSettings
from bot.proof.run_isolated import StartGate
from bot.proof.run_order import RunOrder, choose_order

Suites = Mapping[str, Suite | CommandSuite]
_GLANCE = 1.0
"""Seconds between two questions whether to stop."""


class ProveSuite(Protocol):
    """Proves one suite, whose base run begins when the gate opens. It asks `stop_when` about every second."""

    def __call__(self, name: str, suite: Suite | CommandSuite, gate: StartGate, stop_when: StopWhen) -> Verdict: ...


def prove_each(
    suites: Suites,
    prove: ProveSuite,
    *,
    first: StartGate,
    device: str,
    isolation: IsolationSettings,
    stop_when: StopWhen,
) -> dict[str, Verdict]:
    """Prove every suite, in order. The caller opens the `first` gate; the others open by themselves.

    `stop_when` is asked in this thread; an error of `prove` ends the others.
    """
    if all(choose_order(suite, device, isolation) is RunOrder.IN_TURN for suite in suites.values()):
        return _prove_overlapping(suites, prove, first, stop_when)
    verdicts: dict[str, Verdict] = {}
    for name, suite in suites.items():
        verdicts[name] = prove(name, suite, StartGate() if verdicts else first, stop_when)
    return verdicts


def _prove_overlapping(suites: Suites, prove: ProveSuite, first: StartGate, stop_when: StopWhen) -> dict[str, Verdict]:
    stop = Event()
    with scratch_folder("backport-turns-") as scratch, ThreadPoolExecutor(max_workers=2) as executor:
        turns = [first, *(StartGate(scratch / str(place) / "begun") for place in range(1, len(suites)))]
        futures = {
            name: executor.submit(prove, name, suite, gate, stop.is_set)
            for (name, suite), gate in zip(suites.items(), turns, strict=True)
        }
        for before, gate in zip(futures.values(), turns[1:], strict=False):
            _give_after(before, first, gate)
        try:
            while wait(futures.values(), timeout=_GLANCE).not_done and not stop.is_set():
                if stop_when() or any(future.done() and future.exception() for future in futures.values()):
                    stop.set()
            return {name: future.result() for name, future in futures.items()}
        finally:
            stop.set()
            executor.shutdown(wait=False, cancel_futures=True)


def _give_after(before: Future[Verdict], first: StartGate, gate: StartGate) -> None:
    """Open a gate once the suite before has ended, but not before the first gate: until then there may be no trees."""
    before.add_done_callback(lambda _: first.when_open(gate.open))
