"""Many picks in one process end as each would alone."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import cast

import pytest

from bot.errors import GitError
from bot.git import merge_trees
from bot.git.batch_trial_picks import try_picks
from bot.git.merge_trees import run_merge
from bot.git.process import ProcessResult
from bot.git.repository import Repository
from bot.git.trial_pick import CleanPick, EmptyPick, UnmergedPick, try_pick
from bot.models import Sha
from tests.git.history import History

BASE = "".join(f"line {number}\n" for number in range(20))


def _plain(trial: object) -> object:
    """Return a trial without the tree of a conflict, in which the labels of markers are those of this very question."""
    return replace(trial, tree=Sha("")) if isinstance(trial, UnmergedPick) else trial


def test_batch_answers_as_single_trials_do(history: History, repository: Repository) -> None:
    """base ── original (main) onto trees where it is clean, empty, in conflict, and merged by attributes"""
    base = history.commit({"f": BASE, "d": BASE})
    original = history.commit({"f": BASE.replace("line 5", "fixed")}, base)
    tips = [
        history.commit({"g": "g"}, base),
        history.commit({"f": BASE.replace("line 5", "fixed")}, base),
        history.commit({"f": BASE.replace("line 5", "other")}, base),
        history.commit({"f": None}, base),
        history.commit({"f": BASE.replace("line 5", "other"), ".gitattributes": "f merge=union\n"}, base),
    ]
    pairs = [(original, history.tree(tip)) for tip in tips]
    with repository.quarantine() as quarantine:
        batch = try_picks(quarantine, pairs)
        single = {(commit, tree): try_pick(quarantine, commit, tree) for commit, tree in pairs}
        assert {pair: _plain(trial) for pair, trial in batch.items()} == {
            pair: _plain(trial) for pair, trial in single.items()
        }
    kinds = [type(batch[pair]) for pair in pairs]
    assert kinds == [CleanPick, EmptyPick, UnmergedPick, UnmergedPick, CleanPick]


def test_shared_out_between_processes_the_answers_are_the_same(history: History, repository: Repository) -> None:
    """base ── original (main) onto 40 trees, every third of them in conflict"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": BASE.replace("line 5", "fixed")}, base)
    tips = [
        history.commit({"f": BASE.replace("line 5", f"other {n}")} if n % 3 == 0 else {f"g{n}": ""}, base)
        for n in range(40)
    ]
    pairs = [(original, history.tree(tip)) for tip in tips]
    with repository.quarantine() as quarantine:
        single_results = try_picks(quarantine, pairs, processes=1)
        assert try_picks(quarantine, pairs, processes=3) == single_results
    kinds = [type(single_results[pair]) for pair in pairs]
    assert kinds == [UnmergedPick if n % 3 == 0 else CleanPick for n in range(40)]


def test_time_is_given_to_all_of_them_together_and_not_to_each_process(
    history: History, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """base ── original (main) onto 40 trees with other files in conflict, in eight processes one after the other"""
    base = history.commit({"f": BASE})
    original = history.commit({"f": BASE.replace("line 5", "fixed")}, base)
    tips = [history.commit({"f": BASE.replace("line 5", f"other {n}")}, base) for n in range(40)]
    limits: list[float] = []

    def slow(*arguments: object) -> ProcessResult:
        limits.append(cast("float", arguments[-1]))
        time.sleep(0.01)
        return run_merge(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(merge_trees, "run_merge", slow)
    with repository.quarantine() as quarantine:
        try_picks(quarantine, [(original, history.tree(tip)) for tip in tips], seconds=60, processes=2)
    assert len(limits) == 8
    assert limits[0] <= 60
    assert max(limits[2:]) < 60 - 0.01


def test_pick_that_git_cannot_do_leaves_the_others_alone(history: History, repository: Repository) -> None:
    """base ── lost, whose blob is gone; base ── original"""
    base = history.commit({"f": BASE, "h": BASE})
    original = history.commit({"f": BASE.replace("line 5", "fixed")}, base)
    lost_commit = history.commit({"h": BASE.replace("line 5", "lost")}, base)
    target_tree = history.tree(history.commit({"h": BASE.replace("line 9", "ours")}, base))
    history.lose(history.git("rev-parse", f"{lost_commit}:h"))
    with repository.quarantine() as quarantine:
        answers = try_picks(quarantine, [(lost_commit, target_tree), (original, target_tree)])
    assert isinstance(answers[lost_commit, target_tree], GitError)
    assert isinstance(answers[original, target_tree], CleanPick)
