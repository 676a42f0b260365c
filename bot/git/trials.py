"""Many trial picks at once: one git process for all of them.

Owns the batch. What a trial means, and each answer, is the same as of `trial.try_pick`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable

from bot.errors import GitError
from bot.git.merging import merge_many
from bot.git.narrowing import Question, question
from bot.git.repository import Quarantined
from bot.git.trial import CleanPick, EmptyPick, UnmergedPick, conclude, trees_of
from bot.model import Sha

Trial = CleanPick | EmptyPick | UnmergedPick


def try_picks(
    repository: Quarantined,
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
    asked: dict[tuple[Sha, Sha], Question] = {}
    pairs = dict.fromkeys(wanted)
    targets = Counter(commit for commit, _onto in pairs)
    for commit, onto in pairs:
        try:
            trees = trees_of(repository, commit, onto)
            asked[commit, onto] = question(repository, trees, alone=targets[commit] == 1)
        except GitError as error:
            answers[commit, onto] = error
    # Neighbouring branches mostly have the same files, and then one question is enough for all of them.
    merges = merge_many(
        repository,
        {each.trees: each.attributes for each in asked.values() if each.trees},
        seconds=seconds,
        processes=processes or os.cpu_count() or 1,
    )
    for (commit, onto), each in asked.items():
        merged = merges[each.trees] if each.trees else None
        if isinstance(merged, GitError):
            answers[commit, onto] = merged
        else:
            answers[commit, onto] = conclude(repository, commit, each, merged)
    return answers
