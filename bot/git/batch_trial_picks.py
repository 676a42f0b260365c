"""Many trial picks at once, in few git processes. Each result is the same as that of `bot.git.trial_pick`."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bot.errors import FetchFailed, GitError
from bot.git import fetch_ahead
from bot.git.merge_trees import MergeResult, Trees, merge_many
from bot.git.narrow_merge import MergePlan, plan_merge
from bot.git.repository import Quarantine
from bot.git.trial_pick import CleanPick, EmptyPick, UnmergedPick, conclude, trees_of
from bot.models import Sha

Trial = CleanPick | EmptyPick | UnmergedPick


def try_picks(
    repository: Quarantine,
    requests: Iterable[tuple[Sha, Sha]],
    seconds: float | None = None,
    processes: int | None = None,
    leave_out: Sequence[str] = (),
) -> dict[tuple[Sha, Sha], Trial | GitError]:
    """Pick commits onto trees, given as (commit, tree); a pick that git cannot do gives its error.

    Files that a glob of `leave_out` matches are not picked. Many picks are divided among as many `processes` as there
    are processors, or fewer.

    Raises:
        OutOfTime: it took longer than `seconds`, if they are given.
        FetchFailed: a partial mirror could not get what it lacks.
    """
    answers: dict[tuple[Sha, Sha], Trial | GitError] = {}
    plans: dict[tuple[Sha, Sha], MergePlan] = {}
    pairs = dict.fromkeys(requests)
    targets = Counter(commit for commit, _tree in pairs)
    fetch_ahead.picks(repository, pairs)
    for commit, tree in pairs:
        try:
            trees = trees_of(repository, commit, tree, leave_out)
            plans[commit, tree] = plan_merge(repository, trees, single=targets[commit] == 1)
        except FetchFailed:
            raise
        except GitError as error:
            answers[commit, tree] = error
    for pair, result in _merge(repository, plans, seconds, processes or os.cpu_count() or 1):
        if isinstance(result, GitError):
            answers[pair] = result
        else:
            answers[pair] = conclude(repository, pair[0], plans[pair], result)
    return answers


def _merge(
    repository: Quarantine, plans: Mapping[tuple[Sha, Sha], MergePlan], seconds: float | None, processes: int
) -> Iterator[tuple[tuple[Sha, Sha], MergeResult | GitError | None]]:
    """Yield each pair with the result of its merge, None if nothing is left to merge.

    Neighbouring branches mostly have the same files, and then one merge serves all of them.
    """
    askers: dict[Trees, list[tuple[Sha, Sha]]] = defaultdict(list)
    for pair, plan in plans.items():
        if plan.trees is None:
            yield pair, None
        else:
            askers[plan.trees].append(pair)
    requests = {trees: plans[pairs[0]].attributes for trees, pairs in askers.items()}
    for trees, result in merge_many(repository, requests, seconds=seconds, processes=processes):
        yield from ((pair, result) for pair in askers[trees])
