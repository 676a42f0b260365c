"""The suites about single parts of sglang: they fail on a release, and pass with the carried patches applied.

All of them run in one process on each tree, because starting one takes longer than their cases.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.carried.load import CarriedPatch
from bot.models import CaseOutcome, Verdict, VerdictOutcome
from bot.proof import prove

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

FAILURES = {
    "sglang-24762": ("test_kv_splits", 3),
    "sglang-27188": ("test_decode_plan", 2),
    "sglang-27338": ("test_draft_rows", 6),
    "sglang-28237": ("test_shared_weights", 8),
    "sglang-28337": ("test_token_counts", 10),
}
"""The test module of each patch's suite, and how many of its cases fail on 0.5.12, which has all of the faults."""


@pytest.fixture(scope="module")
def verdict(
    release_tree: Callable[[str], Path],
    patched: Callable[..., Path],
    shipped: Mapping[str, CarriedPatch],
    tmp_path_factory: pytest.TempPathFactory,
) -> Verdict:
    """Prove all the patches together."""
    folder = tmp_path_factory.mktemp("parts")
    patches = [shipped[name] for name in FAILURES]
    for patch in patches:
        shutil.copytree(patch.suite.directory, folder / "suite", dirs_exist_ok=True)
    candidate = patched(release_tree("0.5.12"), folder / "candidate", *patches)
    suite = replace(patches[0].suite, directory=folder / "suite")
    return prove(release_tree("0.5.12"), candidate, suite, device="cpu")


def test_the_carried_patches_are_proven(verdict: Verdict) -> None:
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason


@pytest.mark.parametrize("name", FAILURES)
def test_each_suite_fails_without_its_patch(name: str, verdict: Verdict) -> None:
    module, failures = FAILURES[name]
    cases = [case for case in verdict.base.cases if case.name.startswith(f"{module}::")]
    assert len([case for case in cases if case.outcome is CaseOutcome.FAILED]) == failures
    assert {case.outcome for case in cases} <= {CaseOutcome.FAILED, CaseOutcome.PASSED}
