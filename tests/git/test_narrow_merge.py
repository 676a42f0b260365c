"""Merges narrowed to the paths that an original changes come to what git makes of the whole trees."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from itertools import product

import pytest

from bot.git.merge_trees import MergeResult, attributes_of, merge_many, merge_one
from bot.git.narrow_merge import MergePlan, plan_merge, widen
from bot.git.repository import Quarantine, Repository
from bot.git.trial_pick import trees_of
from bot.models import Sha
from tests.git.history import History, Judge
from tests.git.test_judged import Wilderness, grow
from tests.git.test_trial_pick import TEN, judgement

LINES = "".join(f"{line}\n" for line in TEN)
EDITED = LINES.replace("line 5", "fixed")
OTHER = LINES.replace("line 5", "other")

# name: files at the base, the original's change, the branch's change, and whether it is narrowed
CASES: dict[str, tuple[dict[str, str], dict[str, str | None], dict[str, str | None], bool]] = {
    "the branch never touched it": ({"f": LINES}, {"f": EDITED}, {"g": "g"}, True),
    "both touched it": ({"f": LINES}, {"f": EDITED}, {"f": LINES + "end\n"}, True),
    "both touched the same lines": ({"f": LINES}, {"f": EDITED}, {"f": OTHER}, True),
    "added": ({"f": LINES}, {"d/new": "new"}, {"f": OTHER}, True),
    "removed": ({"d/f": LINES}, {"d/f": None}, {"g": "g"}, True),
    "removed, and changed on the branch": ({"f": LINES}, {"f": None}, {"f": OTHER}, True),
    "moved": ({"d/f": LINES, "d/e": "e"}, {"d/f": None, "d/g": LINES}, {"h": "h"}, True),
    "moved, and changed on the branch": ({"f": LINES}, {"f": None, "g": LINES}, {"f": OTHER}, False),
    "moved with its directory": ({"d/f": LINES}, {"d/f": None, "e/f": LINES}, {"d/new": "new"}, False),
    "moved on the branch": ({"f": LINES}, {"f": EDITED}, {"f": None, "g": LINES}, False),
    "added where the branch has something": ({"f": LINES}, {"g": "one\n"}, {"g": "two\n"}, False),
    "added to a directory that the branch moved": (
        {"d/f": LINES},
        {"d/new": "new"},
        {"d/f": None, "e/f": LINES},
        False,
    ),
    "added below a file of the branch": ({"f": LINES}, {"d/new": "new"}, {"d": "file"}, False),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_renamed_is_narrowed_and_ends_as_a_real_pick(
    case: str, history: History, judge: Judge, repository: Repository
) -> None:
    """base ── original (main); base ── tip (branch)"""
    files, on_main, on_branch, is_narrow = CASES[case]
    base = history.commit({**files, "unrelated": "unrelated"})
    original, tip = history.commit(on_main, base), history.commit(on_branch, base)
    with repository.quarantine() as quarantine:
        plan = plan_merge(quarantine, trees_of(quarantine, original, Sha(history.tree(tip))))
        assert plan.is_narrow is is_narrow
        result, full = _narrow(quarantine, plan), _full(quarantine, plan)
        assert _comes_to(quarantine, result) == _comes_to(quarantine, full)
    assert judgement(repository, original, tip) == judge.cherry_pick(original, tip)


def test_narrowed_merges_of_grown_histories_come_to_what_the_whole_trees_come_to(
    history: History, repository: Repository
) -> None:
    """Eight times: base ── 8 commits (main), each merged onto all of base ── 4 commits (branch)"""
    counts: Counter[str] = Counter()
    with repository.quarantine() as quarantine:
        for seed in range(8):
            for original, tip in _pairs(history, random.Random(3000 + seed)):  # noqa: S311 -- the same everywhere
                plan = plan_merge(quarantine, trees_of(quarantine, original, Sha(history.tree(tip))))
                if plan.is_narrow:
                    result, full = _narrow(quarantine, plan), _full(quarantine, plan)
                    assert _comes_to(quarantine, result) == _comes_to(quarantine, full)
                    counts["asked" if plan.trees else "settled"] += 1
                    counts["clean" if full.clean else "conflict"] += 1
    assert all(counts[kind] >= 10 for kind in ("asked", "settled", "clean", "conflict")), counts


def _pairs(history: History, dice: random.Random) -> Iterator[tuple[Sha, Sha]]:
    wilderness = Wilderness(dice)
    base = history.commit(wilderness.files)
    main, branch = (grow(history, files, base, count) for files, count in ((wilderness, 8), (wilderness.twin(), 4)))
    return product(main, branch)


def _full(repository: Quarantine, plan: MergePlan) -> MergeResult:
    return merge_one(repository, plan.full, attributes_of(repository, plan.full))


def _narrow(repository: Quarantine, plan: MergePlan) -> MergeResult:
    result = merge_one(repository, plan.trees, plan.attributes) if plan.trees else None
    return widen(repository, plan, result)


def _comes_to(repository: Quarantine, result: MergeResult) -> object:
    """Return the stages and everything that git wrote, the labels of its markers apart."""
    stages = {path: (entry.result_path, entry.entries) for path, entry in result.stages.items()}
    if result.clean:
        return stages, result.tree
    texts = {path: repository.read(result.tree, path) for path in repository.paths(result.tree)}
    return stages, {path: re.sub(rb"(?m)^([<>|]+ )[0-9a-f]{40}", rb"\1", text or b"") for path, text in texts.items()}


def test_branches_with_the_same_files_are_one_question_unless_their_attributes_differ(
    history: History, repository: Repository
) -> None:
    """base ── original (main); base ── four tips with the same file in conflict, one with a merge driver of its own"""
    base = history.commit({"f": LINES})
    original = history.commit({"f": EDITED}, base)
    tips = [
        history.commit({"f": OTHER}, base),
        history.commit({"f": OTHER, "g": "g"}, base),
        history.commit({"f": OTHER, "h/i": "i"}, base),
        history.commit({"f": OTHER, ".gitattributes": "f merge=union\n"}, base),
    ]
    with repository.quarantine() as quarantine:
        plans = [plan_merge(quarantine, trees_of(quarantine, original, Sha(history.tree(tip)))) for tip in tips]
        trees = [plan.trees for plan in plans]
        assert trees[0] == trees[1] == trees[2] != trees[3]
        merges = dict(merge_many(quarantine, {plan.trees: plan.attributes for plan in plans if plan.trees}))
        results = [widen(quarantine, plan, merges[plan.trees]) for plan in plans if plan.trees]  # type: ignore[arg-type]
    assert [result.clean for result in results] == [False, False, False, True]


def test_a_mode_that_only_old_git_wrote_is_written_as_git_writes_it(history: History, repository: Repository) -> None:
    """base ── original (main), picked onto base ── tip (release); a neighbour of the file has mode 100664"""
    blobs = [history.git("hash-object", "-w", "--stdin", stdin=text.encode()) for text in (LINES, EDITED, OTHER)]

    def commit(blob: str, *parents: Sha, also: bytes = b"") -> Sha:
        tree = b"100644 f\0" + bytes.fromhex(blob) + b"100664 g\0" + bytes.fromhex(blobs[0]) + also
        texts = history.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=tree)
        return Sha(history.git("commit-tree", texts, *(f"-p{parent}" for parent in parents), "-m", "m"))

    base = commit(blobs[0])
    original = commit(blobs[1], base)
    tip = commit(blobs[0], base, also=b"100644 h\0" + bytes.fromhex(blobs[2]))
    with repository.quarantine() as quarantine:
        plan = plan_merge(quarantine, trees_of(quarantine, original, Sha(history.tree(tip))))
        assert plan.is_narrow
        assert _narrow(quarantine, plan).tree == _full(quarantine, plan).tree
