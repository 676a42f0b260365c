"""Many trial picks at once: one git process for all of them.

Owns the batch. What a trial means, and each answer, is the same as of `trial.try_pick`.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from bot.errors import GitError
from bot.git.merge_trees import MergeResult, Trees, merge_many
from bot.git.narrow_merge import MergePlan, plan_merge
from bot.git.repository import Quarantine
from bot.git.trial_pick import CleanPick, EmptyPick, UnmergedPick, conclude, trees_of
from bot.models import Sha

Trial = CleanPick | EmptyPick | UnmergedPick


def try_picks(
    repository: Quarantine,
    wanted: Iterable[tuple[Sha, Sha]],
    seconds: float | None = None,
    processes: int | None = None,
) -> dict[tuple[Sha, Sha], Trial | GitError]:
    """Pick commits onto trees, given as (commit, tree); one that git cannot do has its error for an answer.

    Many are shared out between as many `processes` as there are processors, or fewer.

    Raises:
        OutOfTime: it took longer than `seconds`, where they are given.
    """
    answers: dict[tuple[Sha, Sha], Trial | GitError] = {}
    asked: dict[tuple[Sha, Sha], MergePlan] = {}
    pairs = dict.fromkeys(wanted)
    targets = Counter(commit for commit, _onto in pairs)
    for commit, onto in pairs:
        try:
            trees = trees_of(repository, commit, onto)
            asked[commit, onto] = plan_merge(repository, trees, alone=targets[commit] == 1)
        except GitError as error:
            answers[commit, onto] = error
    for pair, merged in _merged(repository, asked, seconds, processes or os.cpu_count() or 1):
        if isinstance(merged, GitError):
            answers[pair] = merged
        else:
            answers[pair] = conclude(repository, pair[0], asked[pair], merged)
    return answers


def _merged(
    repository: Quarantine, asked: Mapping[tuple[Sha, Sha], MergePlan], seconds: float | None, processes: int
) -> Iterator[tuple[tuple[Sha, Sha], MergeResult | GitError | None]]:
    """Yield each pair with what git made of its question, None where it has none.

    Neighbouring branches mostly have the same files, and then one question is enough for all of them.
    """
    askers: dict[Trees, list[tuple[Sha, Sha]]] = defaultdict(list)
    for pair, each in asked.items():
        if each.trees is None:
            yield pair, None
        else:
            askers[each.trees].append(pair)
    wanted = {trees: asked[pairs[0]].attributes for trees, pairs in askers.items()}
    for trees, merged in merge_many(repository, wanted, seconds=seconds, processes=processes):
        yield from ((pair, merged) for pair in askers[trees])
