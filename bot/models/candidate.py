"""The plan for one target branch, and the candidate that is made by it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.models.affected import DetectResult, Match
from bot.models.commits import MergeMethod, RelatedCommit
from bot.models.names import Sha


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPlan:
    """The plan for one target branch. Every ref is a Sha from here on."""

    branch: str
    base_commit: Sha
    backport_branch: str
    commits: tuple[Sha, ...]
    merge_method: MergeMethod
    patch: str | None = None
    check: DetectResult | None = None


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
    """The resolution of one conflict region or whole file: both sides, the base, and the result.

    A side or result is None if the file does not exist on it. `how` is a sentence for the reviewer.
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
class StrategyResult:
    """The result of one strategy, for the report. The names `rung` and `won` are keys of run folders."""

    rung: str
    won: bool
    detail: str


@dataclass(frozen=True, slots=True)
class CompanionCommit:
    """The last commit of a candidate that brings a companion. `title` is the companion's original's, with number.

    `method` is a cherry-pick of the original or the carried patch.
    """

    patch: str
    commit: Sha
    title: str
    method: Method = Method.CARRIED_PATCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A commit on the target's pinned base, before it is proven. `commit` is tested and pushed."""

    branch: str
    base_commit: Sha
    commit: Sha
    commits: tuple[Sha, ...]
    method: Method
    fidelity: Fidelity
    files: tuple[str, ...]
    rungs: tuple[StrategyResult, ...] = ()
    certainty: Certainty = Certainty.CERTAIN
    resolutions: tuple[Resolution, ...] = ()
    findings: tuple[Match, ...] = ()
    """Places in the picked files that a reviewer should look at, e.g. a name that the target lacks."""
    companions: tuple[CompanionCommit, ...] = ()
    """Carried patches that belong with this one, on top of it in this order; the last of them is `commit`."""
    prerequisites: tuple[RelatedCommit, ...] = ()
    """Earlier commits of main that were requested along with the originals; theirs are the first of `commits`."""
    left_out: tuple[str, ...] = ()
    """Files that the originals change and the configuration leaves out of backports."""
    absent_files: tuple[str, ...] = ()
    """Files that the originals change or add and the candidate does not change: the branch has the change already, or
    not the file. Those of `left_out` are not among them."""
    siblings: tuple[Sha, ...] = ()
    """Commits of the same request's candidates for other branches that were picked in the place of originals."""
