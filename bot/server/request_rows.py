"""What is recorded of a request and of each of its target branches, and when which step of a branch can be taken."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from bot.models import Target
from bot.pipeline.request import BackportRequest
from bot.pipeline.run import Step
from bot.server.database import Job
from bot.server.proof_queues import LOCAL, proof_lock, proof_queue

TAKE_STEP, STEPS = "take-step", "steps"
SHOW, COMMENTS = "show-request", "comments"
"""The names of the jobs of a request, with their queues; those of proofs are in `bot.server.proof_queues`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """A recorded request. `refused`: another command of its comment was refused.

    `repository_id` is GitHub's number of the repository; None if an earlier version recorded the request.

    `shown_state` is what the status comment has of the branches' states.
    """

    id: int
    repository: str
    repository_id: int | None
    body: str
    refused: bool
    recorded_at: datetime
    shown_state: str

    @property
    def repository_key(self) -> str | int:
        """What the repository is borrowed by: its number, as its name may come to be another one's."""
        return self.repository if self.repository_id is None else self.repository_id

    @property
    def request(self) -> BackportRequest:
        """The request itself."""
        return BackportRequest.model_validate_json(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One target branch of a request. `step` is the next one; None if the branch has ended.

    `position` is its place in the serving order. `rounds` counts the earlier picks. `waits_for` are the positions of
    the siblings that its candidate was made from. `shown`: the status comment has its ending.
    """

    id: int
    request: int
    target: str
    position: int
    step: str | None
    rounds: int
    prove_queue: str | None
    waits_for: list[int]
    shown: bool

    @property
    def next_step(self) -> Step | None:
        """The next step; None if the branch has ended."""
        return Step(self.step) if self.step is not None else None

    @property
    def is_begun(self) -> bool:
        """Whether a step was taken."""
        return self.step != Step.PICK or self.rounds > 0

    @property
    def name(self) -> str:
        """The name that its jobs and its fence go by."""
        return f"run {self.id}"  # as `Requests.defer_lost` writes it


def branch_lock(run: RunRow, repository: str) -> str:
    """Return the lock of a target branch: at one time, one step reads and writes there."""
    target = Target.parse(run.target)
    return json.dumps(["branch", (target.repository or repository).casefold(), target.branch])


def step_job(run: RunRow, step: Step, repository: str) -> Job:
    """Return the job of a step."""
    # A proof needs the branch's commits alone. Meanwhile another backport to the branch may be picked and published.
    name = f"{run.name} {step.value} {run.rounds}"
    if step is not Step.PROVE:
        return Job(task=TAKE_STEP, queue=STEPS, lock=branch_lock(run, repository), name=name)
    place = run.prove_queue or LOCAL
    lock = proof_lock(place, repository, run.id) or run.name
    return Job(task=TAKE_STEP, queue=proof_queue(place), lock=lock, name=name)


def is_ready(run: RunRow, step: Step, runs: Sequence[RunRow]) -> bool:
    """Say whether the next step can be taken, as far as the other branches of the request are concerned."""
    earlier_runs = [other for other in runs if 0 <= other.position < run.position]
    match step:
        case Step.PICK:  # from an earlier branch's candidate, perhaps
            return all(other.step != Step.PICK for other in earlier_runs)
        case Step.PROVE:
            return True
        case Step.PUBLISH:  # only after the siblings that it was made from
            return all(other.step is None for other in earlier_runs if other.position in run.waits_for)
        case _:
            assert_never(step)
