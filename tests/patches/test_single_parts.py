"""The suites about single parts of sglang: each fails on a release, and passes with the carried patch applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bot.carried.load import CarriedPatch
from bot.models import VerdictOutcome
from bot.proof import prove

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("name", "version", "failures"),
    [
        ("sglang-24762", "0.5.12", 3),
        ("sglang-27188", "0.5.12", 2),
        ("sglang-27338", "0.5.12", 8),
        ("sglang-28237", "0.5.14", 8),
        ("sglang-28337", "0.5.13", 10),
    ],
)
def test_the_carried_patch_is_proven(
    name: str,
    version: str,
    failures: int,
    released: Callable[[str], Path],
    patched: Callable[..., Path],
    shipped: Mapping[str, CarriedPatch],
    tmp_path: Path,
) -> None:
    base = released(version)
    candidate = patched(base, tmp_path / "candidate", shipped[name])
    verdict = prove(base, candidate, shipped[name].suite, device="cpu")
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    assert len([case for case in verdict.base.cases if case.outcome == "failed"]) == failures
