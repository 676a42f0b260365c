"""Proves on several devices side by side, each in a workflow run of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial

from bot.errors import BackportError
from bot.models import Progress, Verdict, silent
from bot.proof.combine_devices import combine_devices
from bot.proof.github_actions import ActionsRunner, Steps, run_steps
from bot.proof.inconclusive import inconclusive
from bot.proof.runner import ProofRequest


class RunnersSideBySide:
    """Proves on several devices, each by a runner of its own, in one thread: a client of GitHub is for one thread.

    `publish` pushes a candidate to where all runs can see it, and removes it afterwards. `poll` is in seconds.
    """

    def __init__(
        self,
        runners: Mapping[str, ActionsRunner],
        publish: Callable[[ProofRequest], AbstractContextManager[object]],
        poll: float,
    ) -> None:
        self._runners, self._publish, self._poll = runners, publish, poll

    def prove(self, request: ProofRequest, progress: Progress = silent) -> Verdict:
        """Dispatch a run for each device, wait for all, and return the worst of their verdicts.

        An error on one device makes its verdict inconclusive; the other devices go on.
        """
        with self._publish(request):
            steps = {
                name: _captured(runner.steps(request, partial(_tell_of, name, progress)))
                for name, runner in self._runners.items()
            }
            try:
                return combine_devices(run_steps(steps, self._poll))
            finally:
                for step in steps.values():
                    step.close()  # one that did not end cancels its run


def _captured(steps: Steps) -> Steps:
    try:
        return (yield from steps)
    except BackportError as error:
        return inconclusive(error.message, notes=(error.hint,) if error.hint else ())


def _tell_of(name: str, progress: Progress, line: str) -> None:
    progress(f"{name}: {line}")
