"""One original against 50 branches: the trial of all of them, and the whole ladder for each."""

from __future__ import annotations

import resource
from collections import Counter

from bot.git.trials import try_picks
from bot.model import MergeMethod, TargetPlan
from bot.pick.ladder import pick
from bot.pick.rung import Knowledge
from tests.bench.conftest import Field, show, timed
from tests.git.history import COMMITTER

TARGET = 2.0
MOST_MEMORY = 500


def test_many_branches(field: Field) -> None:
    original = field.originals[len(field.originals) // 2]

    def trials() -> None:
        with field.repository.quarantined() as quarantine:
            try_picks(quarantine, [(original, quarantine.commit(tip).tree) for tip in field.tips])

    knowledge = Knowledge()
    knowledge.index.read(field.repository)
    endings: Counter[str] = Counter()

    def ladders() -> None:
        endings.clear()
        for tip in field.tips:
            plan = TargetPlan(
                branch="release",
                base_commit=tip,
                backport_branch="backport",
                commits=(original,),
                merge_method=MergeMethod.SQUASH,
            )
            ended = pick(field.repository, plan, patches={}, committer=COMMITTER, knowledge=knowledge)
            endings[type(ended).__name__] += 1

    tried, climbed = timed(trials), timed(ladders, 1)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    show(
        f"one original against {len(field.tips)} branches ({len(set(field.tips))} of them distinct; {field.name})",
        [
            ("trial of all", f"{tried:.2f} s (target {TARGET:g} s: {'met' if tried <= TARGET else 'missed'})"),
            ("whole ladder for each", f"{climbed:.2f} s, {dict(endings)}"),
            (
                "peak memory",
                f"{memory:.0f} MB (target {MOST_MEMORY} MB: {'met' if memory <= MOST_MEMORY else 'missed'})",
            ),
        ],
    )
