"""What a rung of the ladder is: one way of making the candidate, in a module of its own.

Owns the interfaces. A rung makes a whole candidate or declines with the reason; a resolver answers single conflict
regions or files, and the rungs that use resolvers make a candidate only if every conflict is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bot.carried.load import CarriedPatch
from bot.git.branch_history import BranchOnlyCommits
from bot.git.conflict_markers import Parts
from bot.git.conflict_regions import Split, split_unmerged
from bot.git.first_parents import FirstParents
from bot.git.line_changes import resembles
from bot.git.merge_trees import Trees
from bot.git.objects import SUBMODULE
from bot.git.renames import Renames
from bot.git.repository import Quarantine
from bot.git.trial_pick import CleanPick, EmptyPick, UnmergedPick, try_pick
from bot.git.unmerged_paths import UnmergedFile
from bot.history.landed import LandingStatus
from bot.models import AlreadyApplied, Candidate, Certainty, Fidelity, Method, Resolution, Sha, Signature, TargetPlan
from bot.pick.backport_index import BackportCommit, BackportIndex
from bot.pick.mainline_changes import MainlineChanges
from bot.pick.resolution_cache import ResolutionCache
from bot.pick.resolution_memory import ResolutionMemory


@dataclass(frozen=True, slots=True)
class PickCaches:
    """What the history of a repository has taught so far; shared by the attempts on it."""

    index: BackportIndex = field(default_factory=BackportIndex)
    memory: ResolutionMemory = field(default_factory=ResolutionMemory)
    histories: BranchOnlyCommits = field(default_factory=BranchOnlyCommits)
    resolutions: ResolutionCache = field(default_factory=ResolutionCache)
    line: FirstParents = field(default_factory=FirstParents)
    moves: Renames = field(init=False)
    mainline_changes: MainlineChanges = field(init=False)

    def __post_init__(self) -> None:
        """Let what asks about main's line share one reading of it."""
        object.__setattr__(self, "moves", Renames(self.line))
        object.__setattr__(self, "mainline_changes", MainlineChanges(self.line))

    @classmethod
    def open(cls, directory: Path) -> PickCaches:
        """Return what earlier processes learned, from and in files of a directory beside the mirror."""
        return cls(BackportIndex.open(directory / "backports.json"), ResolutionMemory(directory / "resolutions.sqlite"))


@dataclass(frozen=True, slots=True)
class RegeneratedFiles:
    """What a tool wrote: the files that changed, None for one that is gone. With a `problem` there is nothing."""

    contents: Mapping[str, bytes | None] = field(default_factory=dict)
    explanation: str = ""
    problem: str = ""


class Regenerator(Protocol):
    """Has tools of the project write files anew. They are somebody's code: who passes one in answers for its walls."""

    def covers(self, path: str) -> bool:
        """Say whether there is a tool for a path."""

    def regenerate(self, repository: Quarantine, tree: Sha, paths: Sequence[str]) -> RegeneratedFiles:
        """Run the tools for these paths on the files of a tree, and return what became of all files that they cover."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What every rung has at hand for one target branch.

    `commits` are what is left to pick, oldest first, once those that landed on the branch by its `landing` are taken
    out.
    `siblings` are candidates that this request made for other branches, newest branch first. `known_before` (seconds
    since the epoch) is the moment whose knowledge counts: history committed later is not looked at. None is now.
    """

    repository: Quarantine
    plan: TargetPlan
    committer: Signature
    commits: tuple[Sha, ...]
    landing: LandingStatus = field(default_factory=LandingStatus)
    patches: Mapping[str, CarriedPatch] = field(default_factory=dict)
    siblings: tuple[Candidate, ...] = ()
    known_before: int | None = None
    caches: PickCaches = field(default_factory=PickCaches)
    regenerator: Regenerator | None = None
    trials: dict[tuple[Sha, Sha], CleanPick | EmptyPick | UnmergedPick] = field(default_factory=dict)
    forks: dict[Sha, Sha | None] = field(default_factory=dict)
    splits: dict[Trees, Split] = field(default_factory=dict)
    known_backports: dict[Sha, tuple[BackportCommit, ...]] = field(default_factory=dict)

    def try_pick(self, commit: Sha, onto: Sha) -> CleanPick | EmptyPick | UnmergedPick:
        """Pick a commit onto a tree, or say again what an earlier rung found."""
        if (commit, onto) not in self.trials:
            self.trials[commit, onto] = try_pick(self.repository, commit, onto)
        return self.trials[commit, onto]

    def split(self, pick: UnmergedPick) -> Split:
        """Return settled text and regions of each file of a conflict that git could merge in part."""
        if pick.trees not in self.splits:
            self.splits[pick.trees] = split_unmerged(self.repository, pick)
        return self.splits[pick.trees]

    def fork(self, original: Sha) -> Sha | None:
        """Return where the histories of an original and of the base commit part."""
        if original not in self.forks:
            self.forks[original] = self._find_fork(original)
        return self.forks[original]

    def _find_fork(self, original: Sha) -> Sha | None:
        tip, parents = self.plan.base_commit, self.repository.commit(original).parents
        shared_commits = self.caches.histories.shared(self.plan.commits, tip)
        # What a branch shares with the original's history is reached through these, so a single one is the merge base;
        # it is the parent's as well, unless it is the original itself or was merged by it.
        if len(self.plan.commits) == len(parents) == len(shared_commits) == 1 and original not in shared_commits:
            return next(iter(shared_commits))
        return self.repository.merge_base(next(iter(parents), original), tip)

    def backports(self, original: Sha) -> tuple[BackportCommit, ...]:
        """Return the backports of an original to other branches that are known at `known_before`, newest first."""
        if original not in self.known_backports:
            self.caches.index.read(self.repository)
            claims = self.caches.index.backports(original, self.known_before)
            # That a message says so is not enough.
            self.known_backports[original] = tuple(
                backport for backport in claims if resembles(self.repository, backport.commit, original)
            )
        return self.known_backports[original]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """A whole candidate; `commits` are the cherry-picked commits, oldest first, the last one being what is tested."""

    commits: tuple[Sha, ...]
    method: Method
    fidelity: Fidelity
    detail: str
    certainty: Certainty = Certainty.CERTAIN
    resolutions: tuple[Resolution, ...] = ()
    siblings: tuple[Sha, ...] = ()


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """The rung makes no candidate; `conflict` is the first pick that conflicted, where there was one."""

    detail: str
    conflict: UnmergedPick | None = None


class PickStrategy(Protocol):
    """One way of making the candidate."""

    name: str

    def apply(self, attempt: Attempt) -> Picked | AlreadyApplied | NotApplicable:
        """Make the whole candidate in the quarantine, or say why not. Expected endings are never exceptions."""


# --- resolvers --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictedFile:
    """A conflicting path of one pick, with the whole content of each side; None where that side has no such file.

    `parts` is the file as git merged it, in order: settled text and regions. It is empty where git left no regions
    (a side is missing, binary, link, submodule).
    """

    commit: Sha
    unmerged_file: UnmergedFile
    base: bytes | None
    ours: bytes | None
    theirs: bytes | None
    parts: Parts

    @property
    def path(self) -> str:
        """The path on the target, with "/"."""
        return self.unmerged_file.path


def load_conflict(
    repository: Quarantine, pick: UnmergedPick, unmerged_file: UnmergedFile, parts: Parts
) -> ConflictedFile:
    """Read the sides of a conflicting path; a submodule has no content."""
    base, ours, theirs = (
        repository.read_blob(entry.sha) if entry and entry.mode != SUBMODULE else None
        for entry in (unmerged_file.base, unmerged_file.ours, unmerged_file.theirs)
    )
    return ConflictedFile(
        commit=pick.commit, unmerged_file=unmerged_file, base=base, ours=ours, theirs=theirs, parts=parts
    )


@dataclass(frozen=True, slots=True)
class RegionResolution:
    """The text that a region becomes, how sure that is, and why, in a sentence for the reviewer."""

    text: bytes
    certainty: Certainty
    explanation: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided for a part of a file: how likely it is what people would commit, and what holds, by name."""

    chance: float
    traits: frozenset[str]


@dataclass(frozen=True, slots=True)
class FileResolution:
    """The whole contents that paths get; None removes a file. A conflicting path that is not named stays as on ours.

    `regions` shows the reviewer what was decided where; without any, the file is shown as a whole. `decisions` are for
    the judge of the whole pick, `traits` say what holds for the file, by name.
    """

    changes: Mapping[str, bytes | None]
    certainty: Certainty
    explanation: str
    regions: tuple[Resolution, ...] = ()
    decisions: tuple[Decision, ...] = ()
    traits: frozenset[str] = frozenset()


RateConfidence = Callable[[Sequence[tuple[ConflictedFile, FileResolution]]], Certainty | None]
"""Says how sure the answers to all files of one pick are together; None where that is too little to propose them."""


class FileResolver(Protocol):
    """Answers conflicting files as wholes; what it does not know it leaves to the next by returning None."""

    name: str

    def resolve_file(self, file: ConflictedFile, attempt: Attempt) -> FileResolution | None:
        """Answer a content, add/add, modify/delete or binary conflict with the contents of files."""


class RegionResolver(Protocol):
    """Answers conflict regions one at a time; what it does not know it leaves to the next by returning None."""

    name: str

    def resolve_region(self, file: ConflictedFile, index: int, attempt: Attempt) -> RegionResolution | None:
        """Answer the region `file.parts[index]`; its neighbours in `parts` are the context."""
