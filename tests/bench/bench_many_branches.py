"""One original against 50 branches: the trial of all of them, and the whole ladder for each, clean and in conflict."""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from bot.git.batch_trial_picks import try_picks
from bot.git.repository import Quarantine
from bot.git.trial_pick import CleanPick, UnmergedPick
from bot.models import AlreadyApplied, Candidate, Conflict, MergeMethod, NothingLeft, Sha, TargetPlan
from bot.pick.batch_trials import BatchTrials, try_batch
from bot.pick.caches import PickCaches
from bot.pick.ladder import pick
from tests.bench.conftest import Field, cpu, show, timed
from tests.git.history import COMMITTER

TARGET = 2.0
MOST_MEMORY = 500
_PROBED = 8
"""Branches on which each original is tried to find the one that is clean, or conflicts, on most."""


@pytest.mark.parametrize("expected_type", [CleanPick, UnmergedPick], ids=["clean", "in conflict"])
def test_many_branches(expected_type: type, field: Field) -> None:
    original = _choose(field, expected_type)

    def trials() -> None:
        with field.repository.quarantine() as quarantine:
            try_picks(quarantine, [(original, quarantine.commit(tip).tree) for tip in field.tips])

    endings: Counter[str] = Counter()
    timing = timed(trials)
    start = cpu()
    climbed = timed(lambda: endings.update(_climb_all(field, original)), 1)
    spent = cpu() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    show(
        f"one original against {len(field.tips)} branches ({len(set(field.tips))} of them distinct; {field.name})",
        [
            ("trial of all", f"{timing:.2f} s (target {TARGET:g} s: {'met' if timing <= TARGET else 'missed'})"),
            ("whole ladder for each", f"{climbed:.2f} s, of it {spent:.2f} s on processors, {dict(endings)}"),
            (
                "peak memory",
                f"{memory:.0f} MB (target {MOST_MEMORY} MB: {'met' if memory <= MOST_MEMORY else 'missed'})",
            ),
        ],
    )


def _choose(field: Field, expected_type: type) -> Sha:
    with field.repository.quarantine() as quarantine:
        trees = [quarantine.commit(tip).tree for tip in field.tips[:: len(field.tips) // _PROBED]]
        trials = try_picks(quarantine, [(original, tree) for original in field.originals for tree in trees])
    counts = Counter(original for (original, _tree), ending in trials.items() if isinstance(ending, expected_type))
    return counts.most_common(1)[0][0]


def _climb_all(field: Field, original: Sha) -> Sequence[str]:
    caches = PickCaches()
    caches.index.read(field.repository)
    caches.histories.announce([original], field.tips)
    with field.repository.quarantine() as quarantine:
        batch = try_batch(quarantine, [original], field.tips)
        return [type(result).__name__ for result in _climb(quarantine, original, field.tips, caches, batch)]


def _climb(
    repository: Quarantine, original: Sha, tips: Sequence[Sha], caches: PickCaches, batch: BatchTrials
) -> Iterator[Candidate | Conflict | AlreadyApplied | NothingLeft]:
    plans = (
        TargetPlan(
            branch="release",
            base_commit=tip,
            backport_branch="backport",
            commits=(original,),
            merge_method=MergeMethod.SQUASH,
        )
        for tip in tips
    )
    for plan in plans:
        yield pick(repository, plan, patches={}, committer=COMMITTER, caches=caches, batch=batch)
