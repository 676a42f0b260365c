"""A candidate is proven only where its suite and the carried patch's rules agree; else the verdict says who objects."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.carried.apply import Applied, apply, write
from bot.carried.load import CarriedPatch, bundled_patches, load_patches
from bot.carried.source_tree import DirectoryTree
from bot.models import Suite, Verdict, VerdictOutcome
from bot.proof.change import Change
from bot.proof.prove_trees import prove_trees

BACKEND = "sglang/srt/layers/attention/aiter_backend.py"
SIZE = "max_bs * max_num_blocks_per_seq * self.page_size"
BLIND = """
import os, pathlib

def test_it():
    source = pathlib.Path(os.environ["SUITE_TARGET"], BACKEND).read_text()
    assert "max_bs * max_num_blocks_per_seq * self.page_size" in source
"""


@pytest.fixture
def prove(tmp_path: Path, release_tree: Callable[[str], Path]) -> Callable[..., Verdict]:
    """Prove a fix of 0.5.12, changed in one place, by a suite that only looks for some text, and by the real rules."""
    suite = tmp_path / "suite"
    suite.mkdir()
    (suite / "test_it.py").write_text(f"BACKEND = {BACKEND!r}\n{BLIND}", encoding="utf-8")
    shipped = load_patches([bundled_patches()])["sglang-24587"]
    patch: CarriedPatch = replace(shipped, suite=Suite(name=shipped.name, directory=suite))
    base, candidate = tmp_path / "base", tmp_path / "candidate"
    for tree in (base, candidate):
        (tree / BACKEND).parent.mkdir(parents=True)
        (tree / "sglang/__init__.py").touch()
        shutil.copy(release_tree("0.5.12") / BACKEND, tree / BACKEND)

    def run(old: str = "", new: str = "") -> Verdict:
        result = apply(DirectoryTree(candidate), patch)
        assert isinstance(result, Applied)
        write(result.changes, candidate)
        text = (candidate / BACKEND).read_text(encoding="utf-8")
        assert old in text
        (candidate / BACKEND).write_text(text.replace(old, new), encoding="utf-8")
        return prove_trees(Change(base, candidate, patch), device="cpu", evidence=tmp_path / "evidence")

    return run


def test_what_suite_and_rules_both_find_fixed_is_proven(prove: Callable[..., Verdict]) -> None:
    verdict = prove()
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    assert "rules" not in verdict.reason


def test_a_fix_that_the_rules_refute_is_incomplete_and_the_verdict_says_where(prove: Callable[..., Verdict]) -> None:
    verdict = prove(SIZE, f"{SIZE} if self.page_size < 64 else max_bs * self.page_size * 0")
    assert verdict.outcome is VerdictOutcome.INCOMPLETE
    assert "The rules of sglang-24587 object: they find the candidate affected" in verdict.reason
    assert f"{BACKEND}:" in verdict.reason
    assert "page_size=64" in verdict.reason
    assert "The suite does not object." in verdict.reason


def test_a_fix_that_the_rules_cannot_follow_is_not_proven(prove: Callable[..., Verdict]) -> None:
    verdict = prove(SIZE, f"{SIZE} + slack_of(self)")
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert "they find the candidate unknown" in verdict.reason


def test_where_the_suite_alone_objects_the_verdict_says_that_the_rules_do_not(prove: Callable[..., Verdict]) -> None:
    verdict = prove(SIZE, "max_bs * (max_num_blocks_per_seq) * self.page_size")
    assert verdict.outcome is VerdictOutcome.INCOMPLETE
    assert "The rules of sglang-24587 do not object." in verdict.reason
