"""The companions' suites against real releases: each fails before its fix and passes after, carried or released."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bot.carried.load import CarriedPatch
from bot.gate import prove
from bot.model import VerdictOutcome

pytestmark = [pytest.mark.xdist_group("companions"), pytest.mark.timeout(600)]

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


def test_with_its_companions_every_mode_stays_inside(
    released: Release, patched: Callable[..., Path], shipped: Mapping[str, CarriedPatch], tmp_path: Path
) -> None:
    """MLA verify at full context, declared to fail with the first patch alone, is then a case like any other."""
    companions = ["sglang-24587", "sglang-27485", "sglang-25556"]
    candidate = patched(released("0.5.12"), tmp_path / "candidate", *(shipped[each] for each in companions))
    suite = shipped["sglang-24587"].suite
    verdict = prove(released("0.5.12"), candidate, suite, device="cpu", resolved=frozenset(companions))
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    assert not [known for known in verdict.known_failures if "mla_verify" in known.case]
