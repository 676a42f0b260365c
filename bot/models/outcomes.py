"""The outcome of a request on one target branch: one value for each kind of outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from bot.models.affected import DetectResult
from bot.models.candidate import Candidate
from bot.models.conflict import Conflict
from bot.models.names import Sha
from bot.models.proof import Verdict
from bot.models.pull_requests import PullRequest

# A target is named as the requester names it: str(Target). A run folder's files have it under "branch".
# pydantic takes the metadata of a dataclass's field for its own settings, so this package needs no import of it.
_FILE_KEY = {"alias": "branch"}


class Status(StrEnum):
    """How a target branch ended, in the words that scripts read."""

    OPENED = "opened"
    NOT_AFFECTED = "not-affected"
    ALREADY_APPLIED = "already-applied"
    NOTHING_LEFT = "nothing-left"
    CONFLICT = "conflict"
    NOT_PROVEN = "not-proven"
    FAILED = "failed"
    WOULD_OPEN = "would-open"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A backport pull request is open. `created` is false if it was open before this request.

    `notes` are sentences about configured details that could not be set.
    """

    status: ClassVar[Status] = Status.OPENED
    target: str = field(metadata=_FILE_KEY)
    pull_request: PullRequest
    created: bool = True
    candidate: Candidate | None = None
    verdict: Verdict | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAffected:
    """The target branch does not have the fault."""

    status: ClassVar[Status] = Status.NOT_AFFECTED
    target: str = field(metadata=_FILE_KEY)
    check: DetectResult


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyApplied:
    """The target branch has the change; `how` says why that is known."""

    status: ClassVar[Status] = Status.ALREADY_APPLIED
    target: str = field(metadata=_FILE_KEY)
    how: str
    commit: Sha | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingLeft:
    """The original changes only files that the configuration leaves out of backports; `left_out` are these files."""

    status: ClassVar[Status] = Status.NOTHING_LEFT
    target: str = field(metadata=_FILE_KEY)
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflicted:
    """No strategy applied. Nothing was pushed, or a `draft` is open that holds the conflict for a person to resolve.

    `note` says why there is no draft although one was configured.
    """

    status: ClassVar[Status] = Status.CONFLICT
    target: str = field(metadata=_FILE_KEY)
    conflict: Conflict
    draft: PullRequest | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotProven:
    """A candidate exists but its verdict is not `proven`; nothing was pushed."""

    status: ClassVar[Status] = Status.NOT_PROVEN
    target: str = field(metadata=_FILE_KEY)
    candidate: Candidate
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Something outside stopped this branch; `message` and `hint` are for the requester."""

    status: ClassVar[Status] = Status.FAILED
    target: str = field(metadata=_FILE_KEY)
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldOpen:
    """A dry run got as far as a candidate that may be opened; nothing was pushed. No verdict: the proof was skipped."""

    status: ClassVar[Status] = Status.WOULD_OPEN
    target: str = field(metadata=_FILE_KEY)
    candidate: Candidate
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """The request was cancelled before this branch was opened; nothing was pushed. `by` is who cancelled it."""

    status: ClassVar[Status] = Status.CANCELLED
    target: str = field(metadata=_FILE_KEY)
    by: str


@dataclass(frozen=True, slots=True)
class Moved:
    """No outcome yet: the branch moved away from the commit that the plan pinned. Nothing was pushed; plan it again."""

    reason: str = "the branch moved during the proof"


TargetOutcome = (
    Opened | NotAffected | AlreadyApplied | NothingLeft | Conflicted | NotProven | Failed | WouldOpen | Cancelled
)
