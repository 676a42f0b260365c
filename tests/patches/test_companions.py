"""The companions' suites against real releases: each fails before its fix and passes after, carried or released."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bot.carried.companions import apply_companions
from bot.carried.load import CarriedPatch
from bot.carried.source_tree import DirectoryTree
from bot.models import VerdictOutcome
from bot.proof import prove
from bot.proof.prove_trees import prove_trees

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

NEEDED = {
    "0.5.10": ["sglang-22598", "sglang-25556", "sglang-27485"],
    "0.5.11": ["sglang-25556", "sglang-27485"],
    "0.5.12": ["sglang-25556", "sglang-27485"],
}

Release = Callable[[str], Path]


@pytest.mark.parametrize(
    ("name", "broken", "fixed"),
    [
        ("sglang-27485", "0.5.12", "0.5.13"),
        ("sglang-25556", "0.5.12", "0.5.13"),
        ("sglang-22598", "0.5.10", "0.5.11"),
    ],
)
def test_the_suite_tells_the_releases_apart(
    name: str, broken: str, fixed: str, released: Release, shipped: Mapping[str, CarriedPatch]
) -> None:
    verdict = prove(released(broken), released(fixed), shipped[name].suite, device="cpu")
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason


@pytest.mark.parametrize(
    ("name", "version", "before"),
    [
        ("sglang-27485", "0.5.12", ["sglang-24587"]),
        ("sglang-25556", "0.5.12", ["sglang-24587", "sglang-27485"]),
        ("sglang-22598", "0.5.10", ["sglang-24587"]),
    ],
)
def test_the_carried_companion_is_proven(
    name: str,
    version: str,
    before: list[str],
    released: Release,
    patched: Callable[..., Path],
    shipped: Mapping[str, CarriedPatch],
    tmp_path: Path,
) -> None:
    base = patched(released(version), tmp_path / "base", *(shipped[each] for each in before))
    candidate = patched(base, tmp_path / "candidate", shipped[name])
    verdict = prove(base, candidate, shipped[name].suite, device="cpu")
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason


@pytest.mark.parametrize("version", ["0.5.10", "0.5.11", "0.5.12"])
def test_with_its_companions_every_mode_stays_inside(
    version: str, released: Release, patched: Callable[..., Path], shipped: Mapping[str, CarriedPatch], tmp_path: Path
) -> None:
    """MLA verify at full context, declared to fail with the first patch alone, is then a case like any other.

    The one case left past an end writes into the page table, and no upstream change mends it.
    """
    patch, base = shipped["sglang-24587"], released(version)
    first = patched(base, tmp_path / "first", patch)
    outcomes = apply_companions(DirectoryTree(first), patch, shipped)
    companions = [shipped[outcome.patch] for outcome in outcomes]
    assert {each.name for each in companions} == set(NEEDED[version])
    candidate = patched(first, tmp_path / "candidate", *companions)
    verdict = prove_trees(base, candidate, patch, companions=companions, patches=shipped, device="cpu")
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    past_end = {case.name: int(case.figures.get("past_end", 0)) for case in verdict.candidate.cases}
    known = {failure.case for failure in verdict.known_failures}
    assert {name for name, elements in past_end.items() if elements} <= known
    assert not [name for name in known if "mla_verify" in name]
    assert {"page1", "page16", "page64"} <= {part for name in past_end for part in name.rstrip("]").split("-")}
