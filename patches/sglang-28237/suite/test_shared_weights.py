"""A shared expert counts once in the output, whoever applies the routed experts' scaling factor.

Without aiter the model multiplies the whole output by the factor, so the weight is its inverse. With aiter the factor
is in the routed weights already and the model multiplies nothing, so the weight is 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sglang_parts.part import Part

PART = "shared_weights"
Figures = Callable[[str, object], None]
EXPERTS = 16
IDS = [[0, 3, 15], [7, 8, 4], [12, 1, 2]]
WEIGHTS = [[0.5, 0.25, 0.25], [0.75, 0.125, 0.125], [1.0, 0.5, 0.25]]
FACTORS = [1.0, 2.5, 16.0]
RANKS = [(1, 0), (4, 0), (4, 3), (8, 5)]
RANK_IDS = [f"rank{rank}-of-{size}" for size, rank in RANKS]


def remapped(part: Part, *, amd: bool, ranks: tuple[int, int], factor: float) -> Any:
    """Remap the experts of three tokens."""
    given = {"amd": amd, "ranks": ranks, "experts": EXPERTS, "factor": factor}
    return part.ask("remap", **given, ids=IDS, weights=WEIGHTS)


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("ranks", RANKS, ids=RANK_IDS)
@pytest.mark.parametrize("amd", [True, False], ids=["aiter", "other"])
def test_a_shared_expert_counts_once(
    part: Part, record_property: Figures, amd: bool, ranks: tuple[int, int], factor: float
) -> None:
    """Its weight, times what the model multiplies the output by."""
    said = remapped(part, amd=amd, ranks=ranks, factor=factor)
    shares = [row[-1] * (1.0 if amd else factor) for row in said["weights"]]
    record_property("shares", shares)
    assert shares == pytest.approx([1.0] * len(IDS), rel=1e-6), f"the shared expert counts {shares[0]:g} times"


@pytest.mark.parametrize("ranks", RANKS, ids=RANK_IDS)
@pytest.mark.parametrize("amd", [True, False], ids=["aiter", "other"])
def test_routed_experts_keep_their_weights_and_get_their_places(part: Part, amd: bool, ranks: tuple[int, int]) -> None:
    """Each rank has its share of the routed experts, and then its shared one."""
    said = remapped(part, amd=amd, ranks=ranks, factor=2.5)
    each = EXPERTS // ranks[0]
    shared = ranks[1] * (each + 1) + each
    assert [row[:-1] for row in said["weights"]] == WEIGHTS
    assert said["ids"] == [[expert + expert // each for expert in row] + [shared] for row in IDS]
