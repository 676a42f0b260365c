"""A trial pick beside the git process it runs: what is ours on top is to stay under a third of it."""

from __future__ import annotations

from functools import partial

from bot.git.merging import run_merge, stand_ins
from bot.git.repository import Quarantined
from bot.git.trial import trees_of, try_pick
from bot.model import Sha
from tests.bench.conftest import Field, show, timed

TARGET = 1.3


def test_trial_pick(field: Field) -> None:
    pairs = list(field.pairs())
    with field.repository.quarantined() as quarantine:
        trees = {tip: quarantine.commit(tip).tree for tip in field.tips}

        labels = [_stand_ins(quarantine, original, trees[tip]) for original, tip in pairs]
        ours = git = 0.0
        # By turns, so that whatever else the machine does slows both alike.
        for (original, tip), label in zip(pairs, labels, strict=True):
            ours += timed(partial(try_pick, quarantine, original, trees[tip]))
            git += timed(partial(run_merge, quarantine, label))
    show(
        f"trial pick ({field.name}), {len(pairs)} picks, median of 3 for each",
        [
            ("git processes", f"{git / len(pairs) * 1000:.1f} ms a pick"),
            ("trial picks", f"{ours / len(pairs) * 1000:.1f} ms a pick"),
            ("ratio", f"{ours / git:.2f} (target {TARGET}: {'met' if ours <= TARGET * git else 'missed'})"),
        ],
    )


def _stand_ins(quarantine: Quarantined, original: Sha, onto: Sha) -> tuple[Sha, Sha]:
    return stand_ins(quarantine, trees_of(quarantine, original, onto))
