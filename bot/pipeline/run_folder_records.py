"""The records in the files of a run folder. They are frozen and have a version.

A file of another shape is refused as a whole. This module reads and writes no file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import Field, model_validator

from bot.errors import RunFolderError
from bot.models import (
    AlreadyApplied,
    Cancelled,
    Candidate,
    Conflicted,
    Failed,
    NotAffected,
    NothingLeft,
    NotProven,
    Opened,
    Sha,
    TargetOutcome,
    TargetPlan,
    Verdict,
    WouldOpen,
)
from bot.pipeline.request import BackportRequest, Record

KindT = TypeVar("KindT")
ValueT = TypeVar("ValueT")
_FULL_SHA = re.compile(r"[0-9a-f]{40}")


class Tagged(Record, Generic[KindT, ValueT]):
    """A value with the name of its kind, so that it is read back as the same type."""

    kind: KindT
    value: ValueT


_Ending = (
    Tagged[Literal["opened"], Opened]
    | Tagged[Literal["not-affected"], NotAffected]
    | Tagged[Literal["already-applied"], AlreadyApplied]
    | Tagged[Literal["nothing-left"], NothingLeft]
    | Tagged[Literal["conflict"], Conflicted]
    | Tagged[Literal["not-proven"], NotProven]
    | Tagged[Literal["failed"], Failed]
    | Tagged[Literal["would-open"], WouldOpen]
    | Tagged[Literal["cancelled"], Cancelled]
)


def tagged(value: TargetPlan | Candidate | TargetOutcome) -> dict[str, object]:
    """Return a value as a `Tagged` of its kind reads it."""
    return {"kind": kind_of(value), "value": value}


def kind_of(value: TargetPlan | Candidate | TargetOutcome) -> str:
    """Return the name of a value's kind."""
    if isinstance(value, TargetPlan):
        return "plan"
    return "candidate" if isinstance(value, Candidate) else value.status.value


class TargetRecord(Record):
    """One target of a request: planned, or ended already. `id` names its files; branch names may hold "/".

    `target` is the name that the requester gives it; the file calls it `branch`.
    """

    id: Annotated[str, Field(pattern=r"^[0-9]{1,4}$")]
    target: str = Field(alias="branch")
    decided: Annotated[Tagged[Literal["plan"], TargetPlan] | _Ending, Field(discriminator="kind")]

    @classmethod
    def of(cls, identity: str, target: str, decided: TargetPlan | TargetOutcome) -> Self:
        """Make the record of a target as it stands."""
        return cls.model_validate({"id": identity, "branch": target, "decided": tagged(decided)})

    @model_validator(mode="after")
    def _names_commits(self) -> Self:
        if isinstance(self.decided.value, TargetPlan):
            _check_full(self.decided.value.base_commit, *self.decided.value.commits)
        return self


class PlannedRequest(BackportRequest):
    """A request with the present state of each target."""

    targets: tuple[TargetRecord, ...]

    def find(self, target: str) -> TargetRecord:
        """Return the record of a target by the name that the requester gives it."""
        return next(record for record in self.targets if record.target == target)

    def with_decision(self, target: str, decided: TargetPlan | TargetOutcome) -> Self:
        """Return the request with what one of its targets has come to since."""
        records = (
            TargetRecord.of(record.id, target, decided) if record.target == target else record
            for record in self.targets
        )
        return self.model_copy(update={"targets": tuple(records)})


@dataclass(frozen=True, slots=True)
class PlannedTarget:
    """A target that is to be picked, with the request that it belongs to.

    `target` is its name in the request; `plan.branch` is its name in its own repository.
    """

    id: str
    target: str
    request: PlannedRequest
    plan: TargetPlan


class Plan(Record):
    """plan/plan.json: what one event asks for. `refused` are the comments in which another command was refused.

    `may_push_workflows` is false if the account that publishes is known to lack that right; the pick has no account.
    """

    version: Literal[2] = 2
    repository: str
    clone_url: str
    refused: tuple[int, ...] = ()
    may_push_workflows: bool = True
    requests: tuple[PlannedRequest, ...]

    def planned_targets(self) -> tuple[PlannedTarget, ...]:
        """Return the targets that are to be picked."""
        return tuple(
            PlannedTarget(record.id, record.target, request, record.decided.value)
            for request in self.requests
            for record in request.targets
            if isinstance(record.decided.value, TargetPlan)
        )

    def outcomes(self) -> tuple[TargetOutcome, ...]:
        """Return the outcomes of the targets that have ended."""
        decisions = (record.decided.value for request in self.requests for record in request.targets)
        return tuple(decision for decision in decisions if not isinstance(decision, TargetPlan))

    def find(self, target: str) -> PlannedTarget:
        """Return a target that is to be picked, by its id; raises RunFolderError."""
        targets_by_id = {record.id: record for record in self.planned_targets()}
        if target not in targets_by_id:
            ids = ", ".join(targets_by_id) or "none"
            raise RunFolderError(f"The plan has no target {target} to pick; nothing was done.", hint=f"It has: {ids}.")
        return targets_by_id[target]


class Picked(Record):
    """pick/ID.json: the candidate of one target branch, or how the branch ended without one."""

    version: Literal[1] = 1
    made: Annotated[Tagged[Literal["candidate"], Candidate] | _Ending, Field(discriminator="kind")]

    @model_validator(mode="after")
    def _names_commits(self) -> Self:
        if isinstance(self.made.value, Candidate):
            _check_full(self.made.value.base_commit, self.made.value.commit, *self.made.value.commits)
        return self


class Proof(Record):
    """prove/ID.json: the verdict about two commits, written by a job that ran somebody's code."""

    version: Literal[1] = 1
    base_commit: Sha
    candidate: Sha
    verdict: Verdict


def _check_full(*names: str) -> None:
    # These reach git as arguments.
    if not all(map(_FULL_SHA.fullmatch, names)):
        raise ValueError("names a commit by something else than its full object name")
