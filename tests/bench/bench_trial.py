"""A trial pick beside the git process it runs: what is ours on top is to stay under a third of it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.git.merge_trees import run_merge, stand_ins
from bot.git.repository import Quarantine
from bot.git.trial_pick import trees_of, try_pick
from bot.models import Sha
from tests.bench.conftest import Field, cpu, show

TARGET = 1.3
ROUNDS = 10


def test_trial_pick(field: Field) -> None:
    expected_items = [(original, field.repository.commit(tip).tree) for original, tip in field.pairs()]
    ours = git = 0.0
    for _ in range(ROUNDS):  # by turns, so that whatever else the machine does slows both alike
        ours += _ours(field.repository, expected_items)
        git += _git(field.repository, expected_items)
    picks = ROUNDS * len(expected_items)
    show(
        f"trial pick ({field.name}), {len(expected_items)} picks {ROUNDS} times, processor time",
        [
            ("git's own merges", f"{git / picks * 1000:.1f} ms a pick"),
            ("trial picks", f"{ours / picks * 1000:.1f} ms a pick"),
            ("ratio", f"{ours / git:.2f} (target {TARGET}: {'met' if ours <= TARGET * git else 'missed'})"),
        ],
    )


def _ours(repository: Quarantine, expected_pairs: Sequence[tuple[Sha, Sha]]) -> float:
    """Nothing is known beforehand, and the process that reads objects counts."""
    with repository.quarantine() as quarantine:
        start = cpu()
        for original, onto in expected_pairs:
            try_pick(quarantine, original, onto)
        quarantine.close()
        return cpu() - start


def _git(repository: Quarantine, expected_pairs: Sequence[tuple[Sha, Sha]]) -> float:
    with repository.quarantine() as quarantine:
        labels = [stand_ins(quarantine, trees_of(quarantine, *each)) for each in expected_pairs]
        start = cpu()
        for label in labels:
            run_merge(quarantine, label)
        return cpu() - start
