"""Runs a request: it knows the order of the target branches and the order of the steps on each.

    plan      may read GitHub          → TargetPlan, or the outcome
    pick      may have GitHub sign     → Candidate, or the outcome
    prove     needs no token           → Verdict
    publish   may write to GitHub      → the outcome, or Moved

A command takes all steps in one process. A service takes each `Step` in a job of its own, in whatever process is free.
A job of a CI takes one on a run folder, so that untrusted code never runs where a token is. All go through
`RequestRun`, which hands each step what the earlier ones left in its store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from enum import StrEnum
from typing import TypeVar, assert_never

from bot.carried.load import CarriedPatch
from bot.commands.targets import newest_first
from bot.environment.trace import span
from bot.errors import RunFolderError
from bot.git.repository import Repository
from bot.models import (
    Candidate,
    Conflicted,
    Failed,
    Moved,
    Sha,
    Target,
    TargetOutcome,
    TargetPlan,
    Verdict,
)
from bot.pick.context import PickContext
from bot.pick.regenerator import Regenerator
from bot.pipeline.cancellation import CancellationWatch, find_cancellation
from bot.pipeline.conflict_drafts import offer_draft
from bot.pipeline.context import RepositoryContext
from bot.pipeline.pick import pick_candidate
from bot.pipeline.plan import plan_backport
from bot.pipeline.prove import ProofMeans, configured_proof, prove_candidate
from bot.pipeline.publish import check_rights, publish_candidate
from bot.pipeline.read_before_publication import BeforePublication, read_before_publication
from bot.pipeline.regenerate_files import tools_for
from bot.pipeline.request import BackportRequest
from bot.pipeline.result_store import Decision, ResultStore
from bot.pipeline.run_failures import lost_pick_failure, moved_failure, sibling_failure
from bot.pipeline.stand_in import may_stand_in
from bot.pipeline.target_repository import context_for_target, resolve_repository
from bot.pipeline.unexpected_errors import capture_errors
from bot.pipeline.verified_commits import signed_by_github
from bot.proof.inconclusive import inconclusive

ResultT = TypeVar("ResultT")

# A branch that moves this often during a suite run is busier than any release branch we know of.
_ATTEMPTS = 3


ByHand = Callable[[TargetPlan, PickContext], Candidate | None]
"""Returns the candidate that a person made for a plan, or None for a branch that nobody did anything for."""


class Step(StrEnum):
    """What is taken at one go, and not again once it is recorded. A plan is made anew for each pick."""

    PICK = "pick"
    PROVE = "prove"
    PUBLISH = "publish"


def serving_order(names: Iterable[str], patch: CarriedPatch | None) -> list[Target]:
    """Put the newest branch first: if the original conflicts, its version for the next newer one may apply.

    A carried patch knows the older branches better than a neighbour does, so with one the order stays as asked.
    """
    return [Target.parse(name) for name in (names if patch else newest_first(names))]


def _fetch(plan: TargetPlan, commits: Sequence[Sha], originals: Repository, target: Repository) -> None:
    """Fetch originals and the plan's base commit; in one request if one repository has both, as they share trees."""
    if originals is target:
        target.fetch([*commits, plan.base_commit])
        return
    originals.fetch(commits)
    target.fetch([plan.base_commit])


class RequestRun:
    """Takes one request through the steps. Callers take its targets in `serving_order`.

    A candidate that is there `by_hand` takes the place of what the ladder would make. A caller that `comes_back` takes
    a step again later if GitHub does not answer, which is raised, and picks again if a sibling was not opened after
    all.
    """

    def __init__(
        self, request: BackportRequest, store: ResultStore, *, by_hand: ByHand | None = None, comes_back: bool = False
    ) -> None:
        self.request, self.store = request, store
        self._by_hand = by_hand
        self._comes_back = comes_back
        self._candidates: dict[Target, Candidate] = {}
        self._replaced_commits: set[Sha] = set()

    def remember(self, earlier: Iterable[Target]) -> None:
        """Read from the store what was picked for the targets before one, in serving order: its siblings."""
        for target in earlier:
            candidate = self.store.pick(target)
            if isinstance(candidate, Candidate):
                self._candidates[target] = candidate

    def siblings(self, target: Target) -> list[Candidate]:
        """Return the candidates for other targets that may stand in for the original, in serving order."""
        return [
            candidate
            for sibling_target, candidate in self._candidates.items()
            if sibling_target != target and may_stand_in(candidate, self.store.decision(sibling_target))
        ]

    def run(self, target: Target, context: RepositoryContext) -> TargetOutcome:
        """Take all steps, again if the branch moves. An error becomes the target's outcome, never an exception."""
        outcome = self._capture(target, "target branch", lambda: self._run(target, context))
        self.store.keep_decision(target, outcome)
        return outcome

    def _run(self, target: Target, context: RepositoryContext) -> TargetOutcome:
        step: Step | None = Step.PICK
        rounds = 0
        while step is not None:
            step = self.take(step, target, context, rounds=rounds)
            rounds += step is Step.PICK
        outcome = self.store.decision(target)
        return lost_pick_failure(target) if outcome is None or isinstance(outcome, TargetPlan) else outcome

    def take(self, step: Step, target: Target, context: RepositoryContext, *, rounds: int) -> Step | None:
        """Take one step and return the next; None if the target has ended. `rounds` counts the earlier picks.

        Raises:
            those of `TEMPORARY`, FetchFailed: only to a caller that comes back; nothing was recorded.
        """
        match step:
            case Step.PICK if rounds >= _ATTEMPTS:
                self.end_moved(target, _ATTEMPTS)
                return None
            case Step.PICK:
                return self._plan_and_pick(target, context)
            case Step.PROVE:
                self._prove_here(target, context)
                return Step.PUBLISH
            case Step.PUBLISH:
                outcome = self.publish(target, context)
                if isinstance(outcome, Moved):
                    context.progress(f"{target}: {outcome.reason}; starting again")
                    return Step.PICK
                return None
            case _:
                assert_never(step)

    def _plan_and_pick(self, target: Target, context: RepositoryContext) -> Step | None:
        if not isinstance(self.plan(target, context), TargetPlan):
            return None
        for sibling_target, sibling in self._candidates.items():
            self._bring(sibling_target, sibling, resolve_repository(sibling_target, context))
        result = self.pick(target, context.pick, context, tools=tools_for(target.branch, context.pick))
        return Step.PROVE if isinstance(result, Candidate) and self.request.options.prove else Step.PUBLISH

    def _prove_here(self, target: Target, context: RepositoryContext) -> None:
        candidate = self.store.pick(target)
        if isinstance(candidate, Candidate):
            repository = resolve_repository(target, context)
            watch = CancellationWatch(target.branch, self.request, repository)
            repository = replace(repository, pick=replace(repository.pick, stop_when=watch))
            self.prove(target, candidate, self._proof_of(target, candidate, repository))

    @contextmanager
    def _proof_of(self, target: Target, candidate: Candidate, repository: RepositoryContext) -> Iterator[ProofMeans]:
        self._bring(target, candidate, repository)
        with configured_proof(repository) as means:
            yield means

    def _bring(self, target: Target, candidate: Candidate, repository: RepositoryContext) -> None:
        """Bring a candidate into the mirror: the step that made it may have run on another machine."""
        if not repository.mirror.contains(candidate.commit):
            repository.mirror.fetch([candidate.base_commit])
            self.store.fetch_objects(target, candidate, repository.mirror)

    def plan(self, target: Target, context: RepositoryContext) -> Decision:
        """Pin the branch and decide, wherever the target is. An error becomes its outcome, never an exception."""

        def step() -> Decision:
            return plan_backport(target.branch, self.request, context_for_target(target, self.request, context))

        # A candidate for an earlier plan sits on a tip that the branch has left.
        old_candidate = self._candidates.pop(target, None)
        self._replaced_commits.update(old_candidate.commits if old_candidate else ())
        decision = self._capture(target, "plan", step)
        self.store.keep_decision(target, decision)
        return decision

    def pick(
        self,
        target: Target,
        context: PickContext,
        originals: RepositoryContext | None = None,
        *,
        tools: Regenerator | None = None,
        may_push_workflows: bool = True,
    ) -> Candidate | TargetOutcome:
        """Make the candidate of a planned target. An error becomes its outcome, never an exception.

        `originals` is needed only for targets elsewhere and for commits that GitHub is to sign. Without it
        `may_push_workflows` is what is known of the account that will publish.
        """

        def step() -> Candidate | TargetOutcome:
            return self._pick(target, context, originals, tools, may_push_workflows=may_push_workflows)

        result = self._capture(target, "pick", step)
        self.store.keep_pick(target, result)
        if isinstance(result, Candidate):
            self._candidates[target] = result
        return result

    def _pick(
        self,
        target: Target,
        context: PickContext,
        originals: RepositoryContext | None,
        tools: Regenerator | None,
        *,
        may_push_workflows: bool,
    ) -> Candidate | TargetOutcome:
        plan = self._plan_of(target)
        if originals is None and target.repository is not None:
            raise RunFolderError(
                f"{target} is in another repository, which this pick has no account for, so nothing was picked.",
                hint="Give `stage pick` the account that publishes.",
            )
        repository = resolve_repository(target, originals) if originals is not None else None
        companion_commits = (sha for shas in self.request.companion_originals.values() for sha in shas)
        target_context = repository.pick if repository is not None else context
        _fetch(plan, [*plan.commits, *companion_commits], context.mirror, target_context.mirror)
        context = target_context
        own = self._by_hand(plan, context) if self._by_hand is not None else None
        result = own or pick_candidate(plan, self.request, context, siblings=self.siblings(target), tools=tools)
        if isinstance(result, Candidate):
            allowed = repository.github.may_push_workflows() if repository is not None else may_push_workflows
            # Before a proof takes a GPU's time for what could not be pushed.
            check_rights(result, may_push_workflows=allowed)
            result = signed_by_github(result, repository) if repository is not None else result
            self.store.keep_objects(target, result, context.mirror)
        return result

    def prove(self, target: Target, candidate: Candidate, means: AbstractContextManager[ProofMeans]) -> Verdict | None:
        """Return the verdict; None if the requester was allowed to skip the proof.

        `means` opens what the proof needs. An error there or in the proof says nothing about the candidate, so the
        verdict is inconclusive and gives the error as its reason.
        """
        if not self.request.options.prove:
            return None

        def step() -> Verdict:
            with means as (context, runner):
                return prove_candidate(candidate, context.patch_for(self.request.original), context, runner)

        verdict = self._capture(target, "prove", step)
        if isinstance(verdict, Failed):
            verdict = inconclusive(verdict.message, notes=(verdict.hint,) if verdict.hint else ())
        self.store.keep_verdict(target, candidate, verdict)
        return verdict

    def publish(self, target: Target, context: RepositoryContext) -> TargetOutcome | Moved:
        """Open what may be opened. An error becomes its outcome, never an exception."""
        decision = self.store.decision(target)
        if decision is not None and not isinstance(decision, TargetPlan):
            return decision
        outcome = self._capture(target, "publish", lambda: self._publish(target, context))
        if not isinstance(outcome, Moved):
            self.store.keep_decision(target, outcome)
        return outcome

    def _publish(self, target: Target, context: RepositoryContext) -> TargetOutcome | Moved:
        plan, repository = self._plan_of(target), resolve_repository(target, context)
        result = self.store.pick(target)
        before = read_before_publication(target, result, self.request, repository)
        cancellation = find_cancellation(target.branch, self.request, before.comments, repository)
        if cancellation is not None:
            return cancellation
        if result is None:
            return lost_pick_failure(target)
        if not isinstance(result, Candidate | Conflicted):
            return result
        # A job of its own has an empty mirror; elsewhere this costs nothing.
        _fetch(plan, plan.commits, context.mirror, repository.mirror)
        if isinstance(result, Conflicted):
            return offer_draft(result, plan, self.request, repository)
        return self._publish_candidate(target, result, plan, before, repository)

    def _publish_candidate(
        self,
        target: Target,
        candidate: Candidate,
        plan: TargetPlan,
        before: BeforePublication,
        repository: RepositoryContext,
    ) -> TargetOutcome | Moved:
        if (candidate.branch, candidate.base_commit) != (plan.branch, plan.base_commit):
            raise RunFolderError(f"The candidate is not one for {plan.branch}.", hint="Run the stages again.")
        self._candidates[target] = candidate
        missing_commits = set(candidate.siblings).difference(*(sibling.commits for sibling in self.siblings(target)))
        if missing_commits:
            # A sibling that is planned again has not ended, so what was made from it is made again, too.
            if missing_commits <= self._replaced_commits:
                return Moved("the branch of a sibling moved")
            return Moved("a sibling was not opened") if self._comes_back else sibling_failure(target, self.request)
        verdict = self.store.verdict(target, candidate) if self.request.options.prove else None
        self._bring(target, candidate, repository)
        return publish_candidate(plan, candidate, verdict, self.request, repository, before)

    def end_moved(self, target: Target, attempts: int) -> Failed:
        """End a target whose branch moved during every proof, or whose sibling's did."""
        outcome = moved_failure(target, self.request, attempts)
        self.store.keep_decision(target, outcome)
        return outcome

    def _plan_of(self, target: Target) -> TargetPlan:
        decision = self.store.decision(target)
        if not isinstance(decision, TargetPlan):
            raise RunFolderError(f"{target} is not planned, so nothing was done.", hint="Run `stage plan` first.")
        return decision

    def _capture(self, target: Target, name: str, step: Callable[[], ResultT]) -> ResultT | Failed:
        """Run a step; an error becomes an outcome. Every outcome bears the name that the requester gave the target."""
        with span(name, branch=str(target)) as this:
            retry = self.request.command_for(str(target))
            result = capture_errors(str(target), step, retry=retry, except_silence=self._comes_back)
            this.failed = isinstance(result, Failed)
        return replace(result, target=str(target)) if isinstance(result, TargetOutcome) else result
