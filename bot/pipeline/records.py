"""What the files of a run folder hold, as frozen records with a version.

Owns the shapes: a file of another shape is refused as a whole. `schema()` is kept in run-folder.schema.json beside this
file, for whoever reads a run folder with other tools. Reads and writes no file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import models_json_schema

from bot.carried.load import CarriedPatch
from bot.commands.parser import parse_commands
from bot.errors import CommandError, RunFolderError
from bot.models import (
    AlreadyApplied,
    BackportOptions,
    Cancelled,
    Candidate,
    Conflicted,
    Failed,
    MergeMethod,
    NotAffected,
    NotProven,
    Opened,
    PullRequest,
    Sha,
    TargetOutcome,
    TargetPlan,
    Verdict,
    WouldOpen,
)
from bot.pipeline.context import Backport
from bot.pipeline.reply_keys import comment_of

KindT = TypeVar("KindT")
ValueT = TypeVar("ValueT")
_FULL_SHA = re.compile(r"[0-9a-f]{40}")


class Record(BaseModel):
    """A mapping in a run folder's file. An unknown key is an error: it may be meant for a later version."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, ser_json_bytes="base64", val_json_bytes="base64", use_attribute_docstrings=True
    )


class Tagged(Record, Generic[KindT, ValueT]):
    """A value with the name of its kind, by which it is read back as what it was."""

    kind: KindT
    value: ValueT


_Ending = (
    Tagged[Literal["opened"], Opened]
    | Tagged[Literal["not-affected"], NotAffected]
    | Tagged[Literal["already-applied"], AlreadyApplied]
    | Tagged[Literal["conflict"], Conflicted]
    | Tagged[Literal["not-proven"], NotProven]
    | Tagged[Literal["failed"], Failed]
    | Tagged[Literal["would-open"], WouldOpen]
    | Tagged[Literal["cancelled"], Cancelled]
)


def tagged(value: TargetPlan | Candidate | TargetOutcome) -> dict[str, object]:
    """Return a value as a `Tagged` of its kind reads it."""
    if isinstance(value, TargetPlan | Candidate):
        return {"kind": "plan" if isinstance(value, TargetPlan) else "candidate", "value": value}
    return {"kind": value.status.value, "value": value}


class Target(Record):
    """One target branch of a request: planned, or ended already. `id` names its files; branch names may hold "/"."""

    id: Annotated[str, Field(pattern=r"^[0-9]{1,4}$")]
    branch: str
    decided: Annotated[Tagged[Literal["plan"], TargetPlan] | _Ending, Field(discriminator="kind")]

    @classmethod
    def of(cls, identity: str, branch: str, decided: TargetPlan | TargetOutcome) -> Self:
        """Make the record of a target as it stands."""
        return cls.model_validate({"id": identity, "branch": branch, "decided": tagged(decided)})

    @model_validator(mode="after")
    def _names_commits(self) -> Self:
        if isinstance(self.decided.value, TargetPlan):
            _check_full(self.decided.value.base_commit, *self.decided.value.commits)
        return self


class Request(Record):
    """One command of a person, read and permitted. `key` finds its status comment, which keeps the `command`."""

    key: str
    command: str
    requester: str
    labelled_at: datetime | None = None
    original: PullRequest
    merge_method: MergeMethod
    commits: tuple[Sha, ...]
    options: BackportOptions
    companion_originals: Mapping[str, Sha] = {}
    undone: str = ""
    targets: tuple[Target, ...]

    def backport(self, patch: CarriedPatch | None, *, siblings: tuple[Candidate, ...] = ()) -> Backport:
        """Return the request as the line takes it."""
        return Backport(
            original=self.original,
            merge_method=self.merge_method,
            commits=self.commits,
            options=self.options,
            requester=self.requester,
            patch=patch,
            siblings=siblings,
            companion_originals=self.companion_originals,
            comment_id=comment_of(self.key),
            labelled_at=self.labelled_at,
            named=self._named(),
            undone=self.undone,
        )

    def _named(self) -> tuple[str, ...]:
        try:
            return next((command.commits for command in parse_commands(self.command)), ())
        except CommandError:
            return ()  # it was read once: another version of the bot wrote it


@dataclass(frozen=True, slots=True)
class Planned:
    """A target that is to be picked, with the request that it belongs to.

    `target` is its name in the request; `plan.branch` what it is called in its own repository.
    """

    id: str
    target: str
    request: Request
    plan: TargetPlan


class Plan(Record):
    """plan/plan.json: what one event asks for. `refused` are the comments in which another command was refused."""

    version: Literal[2] = 2
    repository: str
    clone_url: str
    refused: tuple[int, ...] = ()
    requests: tuple[Request, ...]

    def planned(self) -> tuple[Planned, ...]:
        """Return the targets that are to be picked."""
        return tuple(
            Planned(each.id, each.branch, request, each.decided.value)
            for request in self.requests
            for each in request.targets
            if isinstance(each.decided.value, TargetPlan)
        )

    def find(self, target: str) -> Planned:
        """Return a target that is to be picked, by its id; raises RunFolderError."""
        planned = {each.id: each for each in self.planned()}
        if target not in planned:
            known = ", ".join(planned) or "none"
            raise RunFolderError(
                f"The plan has no target {target} to pick; nothing was done.", hint=f"It has: {known}."
            )
        return planned[target]


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


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the three kinds of file."""
    _, made = models_json_schema([(Plan, "validation"), (Picked, "validation"), (Proof, "validation")])
    kinds = [{"$ref": f"#/$defs/{kind.__name__}"} for kind in (Plan, Picked, Proof)]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "run folder", "oneOf": kinds, **made}
