"""The runs of regression suites, and the verdict on two of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class CaseOutcome(StrEnum):
    """How one case of a regression suite ended. `error` means the case could not be set up or judged."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One case on one tree. `figures` are measurements of the case, e.g. {"past_end": "240"}."""

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


class Isolation(StrEnum):
    """The isolation of a suite from the machine that it ran on."""

    NAMESPACES = "namespaces"
    """A root, processes, IPC and, unless configured, a network of its own (Linux namespaces)."""
    CONTAINER = "container"
    """The isolation of a container's runtime."""
    NONE = "none"
    """The environment and the limits only: the suite could read and reach all that the machine's user can."""


_WEAKEST_FIRST = (Isolation.NONE, None, Isolation.NAMESPACES, Isolation.CONTAINER)


def weakest(isolations: Iterable[Isolation | None]) -> Isolation | None:
    """Return the isolation that every one of several runs had; None if it is unknown for one of them."""
    return min(isolations, key=_WEAKEST_FIRST.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRun:
    """One run of a regression suite on one tree. `problem` says why a run is not usable; it is empty for a usable one.

    `commit` is the commit of the tree, or empty if the tree is no checkout. `isolation` is None if nothing was run, or
    if the record is older than the field. `covered` lists the values of each parameter that the suite tried, in the
    suite's words, e.g. {"page size": "1, 2, 16"}. `image` is the digest of the image that it ran in, or empty.
    """

    tree: str
    cases: tuple[CaseResult, ...]
    device: Device | None
    seconds: float
    problem: str = ""
    commit: str = ""
    isolation: Isolation | None = None
    covered: Mapping[str, str] = field(default_factory=dict)
    image: str = ""

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
    """The common result of base run and candidate run."""

    PROVEN = "proven"
    NOT_REPRODUCED = "not-reproduced"
    INCOMPLETE = "incomplete"
    REGRESSED = "regressed"
    INCONCLUSIVE = "inconclusive"
    NO_TESTS = "no-tests"
    """The change has neither a carried patch nor tests, so there is nothing that could prove it."""


@dataclass(frozen=True, slots=True)
class KnownFailureResult:
    """A case declared to fail for another reason, and whether this pair of runs bore that out."""

    case: str
    reason: str
    still_fails: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceVerdict:
    """What a proof on several devices came to on one of them, whose `name` is that of the configuration.

    `device` is the one that the suite itself used, `image` the digest of its image, and `seconds` is the time of both
    runs. The numbers of failures are None for a run that is not usable, and count no known failure.
    """

    name: str
    outcome: VerdictOutcome
    reason: str
    device: Device | None = None
    image: str = ""
    cases: int = 0
    base_failed: int | None = None
    candidate_failed: int | None = None
    seconds: float = 0.0
    evidence_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The regression suite ran on the base and on the candidate, on one machine."""

    outcome: VerdictOutcome
    reason: str
    base: SuiteRun
    candidate: SuiteRun
    known_failures: tuple[KnownFailureResult, ...] = ()
    notes: tuple[str, ...] = ()
    """Further facts about the runs, e.g. where they ran, or that an earlier run was lost."""
    evidence_url: str = ""
    """The page of the workflow run that keeps its report and its log; empty if there is none."""
    devices: tuple[DeviceVerdict, ...] = ()
    """The verdict on each device of a proof on several; this verdict is the worst of them."""

    @property
    def proven(self) -> bool:
        """Whether a normal pull request may be opened on it."""
        return self.outcome is VerdictOutcome.PROVEN

    @property
    def isolation(self) -> Isolation | None:
        """The isolation of both runs from the machine."""
        return weakest((self.base.isolation, self.candidate.isolation))
