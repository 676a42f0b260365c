"""Forecasts what a backport to a target branch would come to: plan and pick, without a proof.

Needs no GitHub and keeps nothing, because the candidates are written to a quarantine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.carried.detect import check
from bot.carried.load import CarriedPatch
from bot.git.repository import Quarantine
from bot.git.trees import CommitTree
from bot.models import (
    AlreadyApplied,
    Candidate,
    Conflict,
    MergeMethod,
    NotAffected,
    NothingLeft,
    Sha,
    Signature,
    TargetPlan,
)
from bot.pick import ladder
from bot.pick.attempt import Attempt
from bot.pick.batch_trials import BatchTrials, try_batch
from bot.pick.caches import PickCaches
from bot.pick.context import PickContext
from bot.pick.plan import plan_target

Forecast = NotAffected | AlreadyApplied | NothingLeft | Candidate | Conflict
"""How far a target branch comes without a proof."""

# Nobody sees these commits, and with a fixed date the same pick has the same name in every run.
_COMMITTER = Signature("backport-bot", "backport-bot@localhost", "0 +0000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecaster:
    """Forecasts backports to the branches of one repository.

    `repository` is the quarantine that candidates are written to. `trials` are picks that were tried in it beforehand.
    `propose`, `max_prerequisites` and `leave_out` are the values of the configuration's `pick` section.
    """

    repository: Quarantine
    caches: PickCaches = field(default_factory=PickCaches)
    patches: Mapping[str, CarriedPatch] = field(default_factory=dict)
    trials: BatchTrials = field(default_factory=BatchTrials)
    propose: bool = True
    max_prerequisites: int = 3
    leave_out: tuple[str, ...] = ()

    @classmethod
    def in_quarantine(cls, quarantine: Quarantine, context: PickContext) -> Forecaster:
        """Forecast by what a repository's context has, in a quarantine of its mirror."""
        return cls(
            repository=quarantine,
            caches=context.caches,
            patches=context.patches,
            propose=context.config.pick.propose,
            max_prerequisites=context.config.pick.max_prerequisites,
            leave_out=context.config.pick.leave_out,
        )

    def with_trials(self, commits: Sequence[Sha], tips: Iterable[Sha]) -> Forecaster:
        """Try the same commits on several tips at once, which takes git less time than one after the other."""
        tips = tuple(tips)
        self.caches.histories.announce(commits, tips)
        return replace(self, trials=try_batch(self.repository, commits, tips, self.leave_out))

    def plan(
        self, branch: str, tip: Sha, commits: Sequence[Sha], patch: CarriedPatch | None = None
    ) -> TargetPlan | NotAffected | AlreadyApplied:
        """Decide by the rules of the carried `patch` whether there is anything to pick; `commits` are oldest first."""
        return plan_target(
            branch=branch,
            base_commit=tip,
            backport_branch="",
            commits=commits,
            merge_method=MergeMethod.REBASE if len(commits) > 1 else MergeMethod.SQUASH,
            check=check(CommitTree(self.repository, tip), patch) if patch else None,
        )

    def pick(self, plan: TargetPlan) -> Candidate | Conflict | AlreadyApplied | NothingLeft:
        """Pick as the bot would if it were asked now.

        Raises:
            GitError: git could not do its part, e.g. an object is missing.
        """
        return ladder.pick(
            self.repository,
            plan,
            patches=self.patches,
            committer=_COMMITTER,
            caches=self.caches,
            batch=self.trials,
            max_prerequisites=self.max_prerequisites,
            leave_out=self.leave_out,
            propose=self.propose,
        )

    def run_ladder(self, branch: str, tip: Sha, commits: Sequence[Sha], known_before: int) -> ladder.LadderResult:
        """Run the ladder alone, by what history taught before a moment (seconds since the epoch).

        Nothing is looked up on the branch and no conflict is explained, so this takes a fraction of a pick's time.
        """
        plan = self.plan(branch, tip, commits)
        assert isinstance(plan, TargetPlan)  # noqa: S101 -- for the type checker: only a carried patch ends a plan
        attempt = Attempt(
            repository=self.repository,
            plan=plan,
            committer=_COMMITTER,
            leave_out=self.leave_out,
            patches=self.patches,
            known_before=known_before,
            caches=self.caches,
            batch=self.trials,
        )
        return ladder.run_ladder(attempt, propose=self.propose)
