"""What is tried for many branches at once ends as it does for each by itself, and is not tried again."""

from __future__ import annotations

import pytest

from bot.git import trial_pick
from bot.git.repository import Quarantine, Repository
from bot.git.trial_pick import CleanPick, EmptyPick, UnmergedPick
from bot.models import Sha
from bot.pick.attempt import Attempt
from bot.pick.batch_trials import try_batch
from bot.pick.caches import PickCaches
from bot.pick.ladder import pick
from tests.git.history import COMMITTER, History
from tests.pick.plans import plan

BASE = "".join(f"line {number}\n" for number in range(20))
FIXED = BASE.replace("line 5", "fixed")


def _series(history: History) -> tuple[list[Sha], list[Sha]]:
    """base ── one ── two (main); base ── tips: clean, landed, in conflict at once, at the second, without the file"""
    base = history.commit({"f": BASE, "d": BASE, "g": "g\n"})
    one = history.commit({"f": FIXED}, base)
    two = history.commit({"g": "two\n"}, one)
    tips = [
        history.commit({"h": "h"}, base),
        history.commit({"f": FIXED}, base),
        history.commit({"f": BASE.replace("line 5", "other")}, base),
        history.commit({"g": "other\n"}, base),
        history.commit({"f": None}, base),
    ]
    return [one, two], tips


def test_picks_end_alike_together_and_alone(history: History, repository: Repository) -> None:
    commits, tips = _series(history)

    def endings(within: Quarantine, *, shared: bool) -> list[object]:
        batch = try_batch(within, commits, tips) if shared else None
        return [
            pick(within, plan(tip, *commits), patches={}, committer=COMMITTER, caches=PickCaches(), batch=batch)
            for tip in tips
        ]

    with repository.quarantine() as quarantine:
        assert endings(quarantine, shared=True) == endings(quarantine, shared=False)


def test_what_was_tried_together_is_not_tried_again(
    history: History, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits, tips = _series(history)
    with repository.quarantine() as quarantine:
        batch = try_batch(quarantine, commits, tips)
        kinds = [type(batch.trials[commits[0], Sha(history.tree(tip))]) for tip in tips]
        assert kinds == [CleanPick, EmptyPick, UnmergedPick, CleanPick, UnmergedPick]
        monkeypatch.setattr(trial_pick, "merge_one", None)
        for tip in tips:
            pick(quarantine, plan(tip, *commits), patches={}, committer=COMMITTER, batch=batch)


@pytest.mark.parametrize("name", ["branch", "newer branch", "has it", "before", "alone", "criss-cross"])
@pytest.mark.parametrize("kind", ["ordinary", "merge"])
def test_histories_part_where_git_says_they_do(name: str, kind: str, history: History, repository: Repository) -> None:
    """base ── a ── original; base ── side, which the merge brings in; the branch leaves here or there"""
    base = history.commit({"f": BASE})
    a = history.commit({"a": "a"}, base)
    side = history.commit({"s": "s"}, base)
    original = history.commit({"f": FIXED}, a, *([side] if kind == "merge" else []))
    one, two = history.commit({"x": "x"}, base), history.commit({"y": "y"}, a, side)
    tips = {
        "branch": history.commit({"t": "t"}, base),
        "newer branch": history.commit({"t": "t"}, history.commit({"u": "u"}, a)),
        "has it": history.commit({"t": "t"}, original),
        "before": a,
        "alone": history.commit({"t": "t"}),
        "criss-cross": history.commit({"z": "z"}, one, two),
    }
    with repository.quarantine() as quarantine:
        caches = PickCaches()
        caches.histories.read(quarantine, tips[name], [original], ["f"])
        attempt = Attempt(
            repository=quarantine,
            plan=plan(tips[name], original),
            committer=COMMITTER,
            caches=caches,
        )
        assert attempt.fork(original) == quarantine.merge_base(a, tips[name])
