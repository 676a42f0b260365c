"""The whole picture: every stable branch with the state of every original, from git and, where there is one, GitHub.

Owns the order of the reading. Changes nothing outside the files that it keeps beside the mirror.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from bot.carried.load import CarriedPatch, find_original
from bot.config import Config
from bot.git.repository import Repository
from bot.github.protocol import GitHub
from bot.history.commits import Position
from bot.history.confirmed_references import ConfirmedReferences
from bot.history.scan import Scan, scan
from bot.history.store import HistoryStore
from bot.models import ListedPullRequest, Progress, Sha, silent
from bot.pick.forecast import Forecaster
from bot.pick.strategy import PickCaches
from bot.sync.backports import count_open, find_backports
from bot.sync.branch_state import SyncFacts, branch_state
from bot.sync.fix_references import find_references
from bot.sync.merged_commits import MergedCommits
from bot.sync.originals import gather_originals, with_paths
from bot.sync.policy import Policy
from bot.sync.pull_request_cache import refresh
from bot.sync.trial_cache import Trials
from bot.sync.types import BranchState, Original

_SEEN = "branch seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What was found at one moment (seconds since the epoch). `open_backports` counts the bot's own, by branch."""

    repository: str
    main: str
    moment: int
    branches: tuple[BranchState, ...]
    open_backports: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncContext:
    """What a survey stands on: a repository whose branches are here at these tips, and what is kept beside it.

    `existing` are all branches that there are, looked at or not.
    """

    repository: Repository
    store: HistoryStore
    config: Config
    main: str
    tips: Mapping[str, Sha]
    existing: Collection[str]
    patches: Mapping[str, CarriedPatch]
    caches: PickCaches
    progress: Progress = silent

    @property
    def stable(self) -> dict[str, Sha]:
        """The branches to look at, without the main branch."""
        return {name: tip for name, tip in self.tips.items() if name != self.main}

    def patch_for(self, original: Original) -> CarriedPatch | None:
        """Return the carried patch of an original, or None."""
        if original.number is None:
            return None
        return find_original(self.patches, self.config.repository, pull_request=original.number)


def survey(context: SyncContext, github: GitHub | None = None) -> SyncReport:
    """Look at every branch.

    Raises:
        GitError: a tip or an object that is needed is not here.
        GitHubError: GitHub does not answer.
    """
    seen = scan(
        context.repository,
        context.store,
        main=context.tips[context.main],
        branches=context.stable,
        progress=context.progress,
    )
    pulls, labelled = _ask(github, context, _oldest(seen)) if github else ({}, {})
    originals = gather_originals(seen, context.store, context.config.sync, pulls, labelled, context.main)
    policy = Policy(context.config.sync)
    backports = find_backports(pulls, context.stable, context.main)
    patch_of = _patches_by_position(originals, context)
    aims = find_references(seen, context.store, originals)
    backported = {number for number, _ in backports}
    spoken_of = {at for at, each in originals.items() if each.number in backported or policy.speaks_of(each)}
    facts = SyncFacts(
        scan=seen,
        config=context.config,
        policy=policy,
        originals=originals,
        names={at: original.name for at, original in originals.items()},
        backports=backports,
        patch_of=patch_of,
        references=aims,
        noted={*spoken_of, *patch_of, *aims, *seen.main.undone_by},
        makes=_makes(context, seen),
        complete=_completing(context, github),
    )
    return SyncReport(
        repository=context.config.repository,
        main=context.main,
        moment=int(time.time()),
        branches=(*_states(facts, context), *_unrelated(seen), *_gone(context)),
        open_backports=count_open(pulls, context.config),
    )


def _states(facts: SyncFacts, context: SyncContext) -> list[BranchState]:
    with context.repository.quarantined() as quarantine:
        trials = Trials(
            forecaster=Forecaster(
                repository=quarantine,
                caches=context.caches,
                patches=context.patches,
                propose=context.config.pick.propose,
                max_prerequisites=context.config.pick.max_prerequisites,
            ),
            store=context.store,
            most_thorough=context.config.sync.most_missing,
            progress=context.progress,
        )
        return [branch_state(name, facts, trials) for name in facts.scan.branches]


def _oldest(seen: Scan) -> int:
    """Return when the oldest branch was cut: nothing that was merged before is of interest."""
    return min((seen.commits[history.point].commit_date for history in seen.branches.values()), default=0)


def _ask(
    github: GitHub, context: SyncContext, since: int
) -> tuple[Mapping[int, ListedPullRequest], Mapping[str, frozenset[int]]]:
    context.progress("Asking GitHub what changed")
    pulls = refresh(context.store, github.changed_pull_requests(), since)
    sync = context.config.sync
    labels = {label for each in (*sync.rules, *sync.deny) for label in each.fixes_issue_labels}
    return pulls, {label: github.issues_labelled(label) for label in sorted(labels)}


def _completing(context: SyncContext, github: GitHub | None) -> Callable[[Original, bool], Original]:
    merged = MergedCommits(context.repository, context.store, github, context.config.pick.mainline)

    def complete(original: Original, ask: bool) -> Original:
        whole = merged.complete(original, ask=ask)
        at = context.store.commits().find
        return with_paths(whole, context.store, [found for sha in whole.commits if (found := at(sha)) is not None])

    return complete


def _makes(context: SyncContext, seen: Scan) -> Callable[[Position, Position], bool]:
    borne_out = ConfirmedReferences(context.repository, context.store, seen.commits)
    return lambda commit, original: bool(borne_out.with_same_change({(commit, original)}))


def _patches_by_position(originals: Mapping[Position, Original], context: SyncContext) -> dict[Position, CarriedPatch]:
    # Few patches and many originals: the patches are asked first.
    carried = {patch.provenance.original.pull_request for patch in context.patches.values()}
    wanted = (original for original in originals.values() if original.number in carried)
    return {original.position: patch for original in wanted if (patch := context.patch_for(original))}


def _unrelated(seen: Scan) -> list[BranchState]:
    problem = "It has no common ancestor with the main branch, so nothing can be said of what is missing."
    return [BranchState(branch=name, problem=problem) for name in seen.unrelated_branches]


def _gone(context: SyncContext) -> list[BranchState]:
    """Return the branches that were looked at before and are not there any more; each is told of once."""
    before = context.store.cached_results(_SEEN)
    gone = sorted(name for name in before if name not in context.existing)
    seen = {name: tip for name, tip in {**before, **context.stable}.items() if name not in gone}
    context.store.keep_results(_SEEN, seen, alone=True)
    return [
        BranchState(branch=name, problem="An earlier run saw this branch, and it no longer exists.") for name in gone
    ]
