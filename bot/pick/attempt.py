"""One attempt to make a candidate: the inputs of every strategy, and the results that strategies share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field

from bot.carried.load import CarriedPatch
from bot.git.conflict_regions import Split, split_unmerged
from bot.git.left_out import commit_without, paths_left_out
from bot.git.merge_trees import Trees
from bot.git.repository import Quarantine
from bot.git.same_change import resembles
from bot.git.trial_pick import CleanPick, EmptyPick, UnmergedPick, try_pick
from bot.history.landed import LandingStatus
from bot.models import Candidate, Sha, Signature, TargetPlan
from bot.pick.backport_index import BackportCommit
from bot.pick.batch_trials import BatchTrials
from bot.pick.caches import PickCaches
from bot.pick.regenerator import Regenerator


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The inputs of every strategy for one target branch, and results that strategies share.

    `batch` are trials that were made beforehand, in a quarantine that `repository` is or lies in. Changes in files that
    a glob of `leave_out` matches are not picked. `siblings` are candidates of the same request for other branches,
    newest branch first. History committed after `known_before` (seconds since the epoch) is ignored; None means that
    all history counts.
    """

    repository: Quarantine
    plan: TargetPlan
    committer: Signature
    leave_out: tuple[str, ...] = ()
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
    batch: InitVar[BatchTrials | None] = None

    def __post_init__(self, batch: BatchTrials | None) -> None:
        """Begin with the trials of the batch."""
        if batch is not None:
            self.trials.update(batch.trials)
            self.splits.update(batch.splits)

    @property
    def commits(self) -> tuple[Sha, ...]:
        """The originals left to pick, oldest first. Those that are on the branch already are left out."""
        return tuple(sha for sha in self.plan.commits if sha not in self.landing.landed)

    def try_pick(self, commit: Sha, tree: Sha) -> CleanPick | EmptyPick | UnmergedPick:
        """Pick a commit onto a tree, once for all strategies."""
        if (commit, tree) not in self.trials:
            self.trials[commit, tree] = try_pick(self.repository, commit, tree, self.leave_out)
        return self.trials[commit, tree]

    def left_out(self, *commits: Sha) -> tuple[str, ...]:
        """Return the files that commits change and that are left out, sorted; without arguments of all originals."""
        shas = commits or self.commits
        return tuple(sorted({path for sha in shas for path in paths_left_out(self.repository, sha, self.leave_out)}))

    def as_picked(self, commit: Sha) -> Sha:
        """Return a commit that changes what is picked of an original, to be compared with the result."""
        return commit_without(self.repository, commit, self.leave_out)

    def split(self, pick: UnmergedPick) -> Split:
        """Split each file of a conflict into settled text and regions, if git could merge it in part."""
        # Two picks of the same three trees have the same conflict.
        if pick.trees not in self.splits:
            self.splits[pick.trees] = split_unmerged(self.repository, pick)
        return self.splits[pick.trees]

    def fork(self, original: Sha) -> Sha | None:
        """Return the merge base of an original's parent and the base commit, or None for unrelated histories."""
        if original not in self.forks:
            self.forks[original] = self._find_fork(original)
        return self.forks[original]

    def _find_fork(self, original: Sha) -> Sha | None:
        tip, parents = self.plan.base_commit, self.repository.commit(original).parents
        shared_commits = self.caches.histories.shared_commits(self.plan.commits, tip)
        # The branch reaches all that it shares with the original through these commits, so a single one is the merge
        # base. It is the parent's merge base too, unless it is the original itself or was merged by it.
        if len(self.plan.commits) == len(parents) == len(shared_commits) == 1 and original not in shared_commits:
            return next(iter(shared_commits))
        return self.repository.merge_base(next(iter(parents), original), tip)

    def backports(self, original: Sha) -> tuple[BackportCommit, ...]:
        """Return the backports of an original to other branches, committed before `known_before`, newest first."""
        if original not in self.known_backports:
            self.caches.index.read(self.repository)
            claims = self.caches.index.backports(original, self.known_before)
            # Anyone can write the line "cherry picked from", so the changes are compared too.
            self.known_backports[original] = tuple(
                backport for backport in claims if resembles(self.repository, backport.commit, original)
            )
        return self.known_backports[original]
