"""Trial picks of one request's commits onto all target branches at once, before the ladder runs for each branch.

A batch uses all processors. Branches with the same tree are tried once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.errors import GitError
from bot.git.batch_trial_picks import Trial, try_picks
from bot.git.conflict_regions import Split, split_all
from bot.git.merge_trees import Trees
from bot.git.repository import Quarantine
from bot.git.trial_pick import CleanPick, EmptyPick, UnmergedPick
from bot.models import Sha


@dataclass(frozen=True, slots=True)
class BatchTrials:
    """How picks end, by commit and tree, and the parts of those that conflict; all as git made it in a quarantine."""

    trials: Mapping[tuple[Sha, Sha], Trial] = field(default_factory=dict)
    splits: Mapping[Trees, Split] = field(default_factory=dict)


def try_batch(
    repository: Quarantine, commits: Sequence[Sha], tips: Iterable[Sha], leave_out: Sequence[str] = ()
) -> BatchTrials:
    """Pick a series onto all branches. The result is valid as long as the quarantine, and in quarantines inside it.

    Picks that fail in git are left out; the ladder tries them again and reports the error.
    """
    trials: dict[tuple[Sha, Sha], Trial | GitError] = {}
    # Branches with the same tree need one trial.
    trees = {repository.commit(tip).tree for tip in tips}
    for commit in commits:
        results = try_picks(repository, ((commit, tree) for tree in sorted(trees)), leave_out=leave_out)
        trials |= results
        trees = {result for (_commit, tree), trial in results.items() if (result := _leads_to(trial, tree))}
    return with_splits(repository, trials)


def with_splits(repository: Quarantine, results: Mapping[tuple[Sha, Sha], Trial | GitError]) -> BatchTrials:
    """Split the conflicts among trials in one git process and return both; errors are left out."""
    trials = {key: trial for key, trial in results.items() if not isinstance(trial, GitError)}
    conflicts = [trial for trial in trials.values() if isinstance(trial, UnmergedPick)]
    splits = split_all(repository, conflicts) if conflicts else {}
    return BatchTrials(trials, {trees: split for trees, split in splits.items() if not isinstance(split, GitError)})


def _leads_to(trial: Trial | GitError, tree: Sha) -> Sha | None:
    """Return the tree onto which the next commit of a series is picked, or None if this commit conflicts."""
    if isinstance(trial, EmptyPick):
        return tree
    return trial.tree if isinstance(trial, CleanPick) else None
