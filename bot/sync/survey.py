"""Surveys a repository: the state of every original on every stable branch, from git and, if there is one, GitHub.

Changes nothing but the files that it keeps beside the mirror.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from bot.carried.load import CarriedPatch, find_original
from bot.config import Config
from bot.github.protocol import GitHub
from bot.history.commit_graph import Position
from bot.history.confirmed_references import ConfirmedReferences
from bot.history.scan_branches import Scan, scan
from bot.history.store import HistoryStore
from bot.models import ListedPullRequest, Sha
from bot.pick.context import PickContext
from bot.pick.forecast import Forecaster
from bot.sync.backports import count_open, find_backports
from bot.sync.branch_state import SyncFacts, branch_state
from bot.sync.fix_references import find_references
from bot.sync.merged_commits import MergedCommits
from bot.sync.originals import gather_originals, with_paths
from bot.sync.policy import Policy
from bot.sync.pull_request_cache import refresh
from bot.sync.trial_cache import Trials
from bot.sync.types import BranchState, Original

_BRANCH_TIPS = "branch seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """The branches at one moment (seconds since the epoch). `open_backports` counts the bot's own, by branch."""

    repository: str
    main: str
    moment: int
    branches: tuple[BranchState, ...]
    open_backports: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncContext:
    """What a survey may touch: the mirror, which has the branches at these tips, and the store beside it.

    `all_branches` are also those that are not surveyed.
    """

    pick: PickContext
    store: HistoryStore
    main: str
    tips: Mapping[str, Sha]
    all_branches: Collection[str]

    @property
    def config(self) -> Config:
        """The configuration."""
        return self.pick.config

    @property
    def stable(self) -> dict[str, Sha]:
        """The tips of the branches to survey, without the main branch."""
        return {name: tip for name, tip in self.tips.items() if name != self.main}

    def patch_for(self, original: Original) -> CarriedPatch | None:
        """Return the carried patch of an original, or None."""
        if original.number is None:
            return None
        return find_original(self.pick.patches, self.config.repository, pull_request=original.number)


def survey(context: SyncContext, github: GitHub | None = None) -> SyncReport:
    """Find the state of every original on every branch.

    Raises:
        GitError: a tip or an object that is needed is missing.
        GitHubError: GitHub does not answer.
    """
    branch_scan = scan(
        context.pick.mirror,
        context.store,
        main=context.tips[context.main],
        branches=context.stable,
        leave_out=context.config.pick.leave_out,
        progress=context.pick.progress,
    )
    pulls, issues_by_label = _ask(github, context, _oldest(branch_scan)) if github else ({}, {})
    originals = gather_originals(branch_scan, context.store, context.config.sync, pulls, issues_by_label, context.main)
    facts = _gather_facts(context, github, branch_scan, originals, pulls)
    return SyncReport(
        repository=context.config.repository,
        main=context.main,
        moment=int(time.time()),
        branches=(*_states(facts, context), *_without_ancestor(branch_scan), *_deleted_branches(context)),
        open_backports=count_open(pulls, context.config),
    )


def _gather_facts(
    context: SyncContext,
    github: GitHub | None,
    branch_scan: Scan,
    originals: Mapping[Position, Original],
    pulls: Mapping[int, ListedPullRequest],
) -> SyncFacts:
    policy = Policy(context.config.sync)
    backports = find_backports(pulls, context.stable, context.main, branch_scan.number_of)
    patch_of = _patches_by_position(originals, context)
    references = find_references(branch_scan, context.store, originals)
    # Most originals are of no interest to the policy; leaving them out early is most of the speed.
    numbers = {number for number, _ in backports}
    concerns = {
        position for position, original in originals.items() if original.number in numbers or policy.concerns(original)
    }
    return SyncFacts(
        scan=branch_scan,
        config=context.config,
        policy=policy,
        originals=originals,
        names={position: original.name for position, original in originals.items()},
        backports=backports,
        patch_of=patch_of,
        references=references,
        notable={*concerns, *patch_of, *references, *branch_scan.main.undone_by},
        makes=_makes(context, branch_scan),
        complete=_complete(context, github),
    )


def _states(facts: SyncFacts, context: SyncContext) -> list[BranchState]:
    # The objects of trials are of no use afterwards, and would fill the mirror run by run.
    with context.pick.mirror.quarantine() as quarantine:
        trials = Trials(
            forecaster=Forecaster.in_quarantine(quarantine, context.pick),
            store=context.store,
            most_thorough=context.config.sync.most_missing,
            progress=context.pick.progress,
        )
        return [branch_state(name, facts, trials) for name in facts.scan.branches]


def _oldest(branch_scan: Scan) -> int:
    """Return when the oldest branch was cut: nothing that was merged before is of interest."""
    return min((branch_scan.commits[history.point].commit_date for history in branch_scan.branches.values()), default=0)


def _ask(
    github: GitHub, context: SyncContext, since: int
) -> tuple[Mapping[int, ListedPullRequest], Mapping[str, frozenset[int]]]:
    context.pick.progress("Asking GitHub what changed")
    pulls = refresh(context.store, github.changed_pull_requests(), since)
    sync = context.config.sync
    labels = {label for condition in (*sync.rules, *sync.deny) for label in condition.fixes_issue_labels}
    return pulls, {label: github.issues_labelled(label) for label in sorted(labels)}


def _complete(context: SyncContext, github: GitHub | None) -> Callable[[Original, bool], Original]:
    merged_commits = MergedCommits(context.pick.mirror, context.store, github, context.config.pick.mainline)

    def complete(original: Original, ask: bool) -> Original:
        with_commits = merged_commits.complete(original, ask=ask)
        positions = map(context.store.commits().find, with_commits.commits)
        return with_paths(with_commits, context.store, [position for position in positions if position is not None])

    return complete


def _makes(context: SyncContext, branch_scan: Scan) -> Callable[[Position, Position], bool]:
    references = ConfirmedReferences(
        context.pick.mirror, context.store, branch_scan.commits, leave_out=context.config.pick.leave_out
    )
    return lambda commit, original: bool(references.with_same_change({(commit, original)}))


def _patches_by_position(originals: Mapping[Position, Original], context: SyncContext) -> dict[Position, CarriedPatch]:
    # There are few patches and many originals, so the numbers of the patches are compared first.
    numbers = {patch.provenance.original.pull_request for patch in context.pick.patches.values()}
    candidates = (original for original in originals.values() if original.number in numbers)
    return {original.position: patch for original in candidates if (patch := context.patch_for(original))}


def _without_ancestor(branch_scan: Scan) -> list[BranchState]:
    problem = "It has no common ancestor with the main branch, so its missing originals are unknown."
    return [BranchState(branch=name, problem=problem) for name in branch_scan.unrelated_branches]


def _deleted_branches(context: SyncContext) -> list[BranchState]:
    """Return the branches that an earlier run surveyed and that no longer exist; each is reported once."""
    before = context.store.cached_results(_BRANCH_TIPS)
    names = sorted(name for name in before if name not in context.all_branches)
    tips = {name: tip for name, tip in {**before, **context.stable}.items() if name not in names}
    context.store.keep_results(_BRANCH_TIPS, tips, replace=True)
    return [
        BranchState(branch=name, problem="An earlier run saw this branch, and it no longer exists.") for name in names
    ]
