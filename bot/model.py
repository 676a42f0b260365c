"""The nouns of a backport, as frozen values.

Owns the types that pass from one room to the next and what is true of them by themselves.
Imports nothing of ours and touches nothing outside: no git, no HTTP, no files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, NewType, Protocol

Sha = NewType("Sha", str)
"""A full object name, 40 hex digits. A branch name is never a Sha: `resolve` turns one into the other."""

Progress = Callable[[str], None]
"""Takes one line for a person who is waiting."""


def silent(_line: str) -> None:
    """Be a Progress for callers that nobody watches."""


StopWhen = Callable[[], bool]
"""Is asked now and then, by whoever works for long, whether to stop."""


def never() -> bool:
    """Be the StopWhen of what nothing stops."""
    return False


# --- what was asked ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class BackportOptions:
    """What a requester may switch on a `/backport` line."""

    dry_run: bool = False
    draft: bool = False
    with_companions: bool = False
    with_prerequisites: bool = False
    prove: bool = True
    redo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BackportRequest:
    """One person's wish to have one merged pull request on some target branches."""

    repository: str
    pull_request: int
    requester: str
    targets: tuple[str, ...]
    options: BackportOptions = BackportOptions()
    comment_id: int | None = None


# --- commits and pull requests ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Signature:
    """Who and when, as git writes it. `date` is git's raw form: seconds since the epoch and an offset."""

    name: str
    email: str
    date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit object as git stores it."""

    sha: Sha
    tree: Sha
    parents: tuple[Sha, ...]
    author: Signature
    committer: Signature
    message: str

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]


class MergeMethod(StrEnum):
    """How the original pull request reached its base branch."""

    SQUASH = "squash"
    REBASE = "rebase"
    MERGE = "merge"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request as the forge reports it."""

    number: int
    title: str
    body: str
    author: str
    url: str
    state: str
    base: str
    head: str
    head_sha: Sha
    merged: bool = False
    merge_commit: Sha | None = None
    merged_by: str | None = None
    commit_count: int = 1
    labels: tuple[str, ...] = ()
    draft: bool = False
    milestone: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What stands beside a pull request's text. `merge` is the method by which it is to merge by itself, or None."""

    labels: tuple[str, ...] = ()
    milestone: int | None = None
    assignees: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    merge: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewThread:
    """A thread of a review that nobody resolved; `line` is 0 where the file has moved on. `body` opened it."""

    path: str
    line: int
    author: str
    body: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment in a pull request's conversation. `person` is false for bots, ours among them."""

    id: int
    author: str
    body: str
    person: bool
    changed: datetime
    edited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPullRequest:
    """A pull request as a list shows it: less than all, but hundreds for one question.

    Dates are seconds since the epoch; `merged` is 0 where it is not merged.
    """

    number: int
    title: str
    body: str
    author: str
    url: str
    state: str
    base: str
    head: str
    updated: int
    merged: int
    merge_commit: Sha | None
    labels: tuple[str, ...]
    milestone: str


class SourceTree(Protocol):
    """The files of a target, wherever they lie: a directory, an unpacked package or a commit. Paths use "/"."""

    def read(self, path: str) -> bytes | None:
        """Return the file's bytes, or None where the tree has no such file."""

    def paths(self) -> Iterable[str]:
        """Yield the path of every file, sorted."""


# --- is a tree affected? ----------------------------------------------------------------------------------------------


class Affectedness(StrEnum):
    """What a carried patch's `detect` rules say of a tree."""

    AFFECTED = "affected"
    FIXED = "fixed"
    NOT_AFFECTED = "not-affected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One place that a rule saw. `line` counts from 1; 0 speaks of the whole file."""

    file: str
    line: int
    rule: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """A tree's status with the reason a person reads and the evidence behind it."""

    patch: str
    status: Affectedness
    reason: str
    evidence: tuple[Evidence, ...] = ()


# --- plan, candidate, conflict ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPlan:
    """One target branch, decided: every ref is a Sha from here on."""

    branch: str
    base_commit: Sha
    backport_branch: str
    commits: tuple[Sha, ...]
    merge_method: MergeMethod
    patch: str | None = None
    check: CheckReport | None = None


class Method(StrEnum):
    """How a candidate was made."""

    CHERRY_PICK = "cherry-pick"
    CARRIED_PATCH = "carried-patch"
    SIBLING = "sibling"
    RESOLVED = "resolved"


class Fidelity(StrEnum):
    """How near a candidate is to the original: same hunks, same hunks on other lines, or other hunks."""

    EXACT = "exact"
    OFFSET = "offset"
    ADAPTED = "adapted"


class Certainty(StrEnum):
    """How far a candidate may go by itself: `certain` to a normal pull request once proven, `proposed` to a draft."""

    CERTAIN = "certain"
    PROPOSED = "proposed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """One conflict region (or whole file) that a rung resolved: what stood on each side, and what stands there now.

    A side or result is None where the file does not exist on it. `how` is a sentence for the reviewer.
    """

    path: str
    base: bytes | None
    ours: bytes | None
    theirs: bytes | None
    result: bytes | None
    rung: str
    certainty: Certainty
    how: str


@dataclass(frozen=True, slots=True)
class RungOutcome:
    """What one way of making the candidate came to, kept for the report."""

    rung: str
    won: bool
    detail: str


@dataclass(frozen=True, slots=True)
class CompanionCommit:
    """A further commit of a candidate, that carries a companion. `title` is the companion's original's, with number."""

    patch: str
    commit: Sha
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A commit on the target's pinned base, before it is proven. `commit` is what is tested and what is pushed."""

    branch: str
    base_commit: Sha
    commit: Sha
    commits: tuple[Sha, ...]
    method: Method
    fidelity: Fidelity
    files: tuple[str, ...]
    rungs: tuple[RungOutcome, ...] = ()
    certainty: Certainty = Certainty.CERTAIN
    resolutions: tuple[Resolution, ...] = ()
    findings: tuple[Evidence, ...] = ()
    """What a check of the picked files saw and a reviewer should look at, e.g. a name that the target lacks."""
    companions: tuple[CompanionCommit, ...] = ()
    """Carried patches that belong with this one, on top of it in this order; the last of them is `commit`."""
    prerequisites: tuple[RelatedCommit, ...] = ()
    """Earlier commits of main that were asked for along with the originals; theirs are the first of `commits`."""


class ConflictKind(StrEnum):
    """What git could not merge, by the stages it left unmerged."""

    CONTENT = "content"
    MODIFY_DELETE = "modify/delete"
    ADD_ADD = "add/add"
    SUBMODULE = "submodule"
    BINARY = "binary"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class RelatedCommit:
    """A commit named in a report. `on_target` says on which side of the merge base it lies."""

    sha: Sha
    subject: str
    author: str
    on_target: bool = False


@dataclass(frozen=True, slots=True)
class ConflictFile:
    """One unmerged path; `regions` counts conflict regions and is 0 where a file has none (binary, deleted).

    `changed_by` are commits that changed the conflicting lines since the merge base, on either side.
    """

    path: str
    kind: ConflictKind
    regions: int
    changed_by: tuple[RelatedCommit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """No rung made a whole candidate. `commit` is the first commit that would not pick."""

    branch: str
    base_commit: Sha
    commit: Sha
    files: tuple[ConflictFile, ...]
    rungs: tuple[RungOutcome, ...] = ()
    prerequisites: tuple[RelatedCommit, ...] = ()
    """The smallest set found, oldest first, after which a trial showed the pick to apply cleanly; empty if none was."""


class Outlook(StrEnum):
    """What a target branch would come to, if the pull request were merged now and asked for there."""

    CLEAN = "clean"
    RESOLVABLE = "resolvable"
    CONFLICT = "conflict"
    NOT_AFFECTED = "not-affected"
    ALREADY_APPLIED = "already-applied"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetForecast:
    """What a trial pick says of one target branch before anything is asked for. `reason` is a sentence for people."""

    branch: str
    outlook: Outlook
    reason: str
    files: tuple[ConflictFile, ...] = ()
    findings: tuple[Evidence, ...] = ()
    prerequisites: tuple[RelatedCommit, ...] = ()


# --- proof ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeclaredFailure:
    """A case that is known to fail for another reason. `cases` is a glob over case names.

    `fixed_by` names the carried patch after which the declaration no longer holds, or is None while nothing fixes it.
    """

    cases: str
    reason: str
    fixed_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """The regression suite of a carried patch: a folder of pytest files, run once per tree in a process of its own."""

    name: str
    directory: Path
    import_paths: tuple[Path, ...] = ()
    known_failures: tuple[DeclaredFailure, ...] = ()
    timeout: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSuite:
    """Tests of the target's own: a command that runs in the tree itself, once per tree in a process of its own.

    `{python}` and `{junit}` in the command stand for an interpreter and for the report file it is to write. `junit` is
    where in the tree it writes one by itself; with neither, the command is one case and its exit code the outcome.
    `overlay` are files of the candidate that are laid over the base: tests that come with the change.
    """

    name: str
    command: tuple[str, ...]
    junit: str = ""
    overlay: tuple[str, ...] = ()
    known_failures: tuple[DeclaredFailure, ...] = ()
    timeout: float = 900.0


class CaseOutcome(StrEnum):
    """How one case of a regression suite ended. `error` means the case could not be set up or judged."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One case on one tree. `figures` are what the case measured, e.g. {"past_end": "240"}."""

    name: str
    outcome: CaseOutcome
    message: str = ""
    seconds: float = 0.0
    figures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Where a suite ran, e.g. kind "cpu", name "Triton interpreter", arch "x86_64"; versions of torch and triton."""

    kind: str
    name: str
    arch: str
    versions: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind} ({self.name}, {self.arch})"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRun:
    """One run of a regression suite on one tree. `problem` says why a run is not usable; a usable one has none.

    `commit` is what the tree was checked out at, or empty where it is no checkout.
    """

    tree: str
    cases: tuple[CaseResult, ...]
    device: Device | None
    seconds: float
    problem: str = ""
    commit: str = ""

    def count(self, outcome: CaseOutcome) -> int:
        """Count the cases that ended so."""
        return sum(case.outcome is outcome for case in self.cases)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRun:
    """A run of a workflow as the forge reports it, in the forge's words."""

    id: int
    status: str
    conclusion: str | None
    url: str


class VerdictOutcome(StrEnum):
    """What base run and candidate run say together."""

    PROVEN = "proven"
    NOT_REPRODUCED = "not-reproduced"
    INCOMPLETE = "incomplete"
    REGRESSED = "regressed"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """A case declared to fail for another reason, and whether this pair of runs bore that out."""

    case: str
    reason: str
    still_fails: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The regression suite ran on the base and on the candidate, on one machine."""

    outcome: VerdictOutcome
    reason: str
    base: SuiteRun
    candidate: SuiteRun
    known_failures: tuple[KnownFailure, ...] = ()
    notes: tuple[str, ...] = ()
    """What else there is to know of how it came about, e.g. where it ran and that an earlier run was lost."""

    @property
    def proven(self) -> bool:
        """Whether a normal pull request may be opened on it."""
        return self.outcome is VerdictOutcome.PROVEN


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRunText:
    """What GitHub's check run object takes. `title` is plain text, `summary` Markdown."""

    name: str
    conclusion: str
    title: str
    summary: str


# --- the end of each target branch ------------------------------------------------------------------------------------


class Status(StrEnum):
    """How a target branch ended, in the words that scripts read."""

    OPENED = "opened"
    NOT_AFFECTED = "not-affected"
    ALREADY_APPLIED = "already-applied"
    CONFLICT = "conflict"
    NOT_PROVEN = "not-proven"
    FAILED = "failed"
    WOULD_OPEN = "would-open"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A backport pull request is open. `created` is false when it was there before this request."""

    status: ClassVar[Status] = Status.OPENED
    branch: str
    pull_request: PullRequest
    created: bool = True
    candidate: Candidate | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAffected:
    """The target branch does not have the fault."""

    status: ClassVar[Status] = Status.NOT_AFFECTED
    branch: str
    check: CheckReport


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyApplied:
    """The target branch has the change; `how` says what showed it."""

    status: ClassVar[Status] = Status.ALREADY_APPLIED
    branch: str
    how: str
    commit: Sha | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflicted:
    """No rung applied. Nothing was pushed, or a `draft` is open that holds the conflict for a person to resolve."""

    status: ClassVar[Status] = Status.CONFLICT
    branch: str
    conflict: Conflict
    draft: PullRequest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotProven:
    """A candidate exists but its verdict is not `proven`; nothing was pushed."""

    status: ClassVar[Status] = Status.NOT_PROVEN
    branch: str
    candidate: Candidate
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Something outside stopped this branch; `message` and `hint` are for the requester."""

    status: ClassVar[Status] = Status.FAILED
    branch: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldOpen:
    """A dry run got as far as a candidate that may be opened; nothing was pushed. No verdict: the proof was skipped."""

    status: ClassVar[Status] = Status.WOULD_OPEN
    branch: str
    candidate: Candidate
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """The request was cancelled before this branch was opened; nothing was pushed. `by` is who cancelled it."""

    status: ClassVar[Status] = Status.CANCELLED
    branch: str
    by: str


TargetResult = Opened | NotAffected | AlreadyApplied | Conflicted | NotProven | Failed | WouldOpen | Cancelled
