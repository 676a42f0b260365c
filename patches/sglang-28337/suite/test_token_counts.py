"""A graph of two overlapping batches reads how many tokens of each are real: from memory that a replay can change.

On a GPU the graph is a real one. A count that lies in the host's memory is taken at capture, for good: the replay goes
on with the counts of its capture. Without a GPU, memory that is not the device's cannot be read at all.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sglang_parts.part import Part

PART = "overlap_tokens"
Figures = Callable[[str, object], None]
MODES = [("decode", 1), ("target_verify", 4)]
IDS = [f"{mode}-{tokens}" for mode, tokens in MODES]


def counts(size: int, per_request: int, real: int) -> list[int]:
    """Return how many real tokens either batch has: half of the requests go to the first, rounded down."""
    first = size // 2 * per_request
    return [min(first, real), max(0, real - first)]


def test_the_counts_lie_on_the_device(part: Part, record_property: Figures) -> None:
    """Two of them, as the kernels read them."""
    kept = part.ask("make")
    record_property("device", kept["device"])
    assert kept == {"device": part.device.torch, "dtype": "int32", "shape": [2]}


@pytest.mark.parametrize(("mode", "per_request"), MODES, ids=IDS)
@pytest.mark.parametrize("size", [2, 3, 8, 33])
def test_each_replay_has_its_own_counts(
    part: Part, record_property: Figures, size: int, mode: str, per_request: int
) -> None:
    """One graph, captured on a full batch and replayed on fuller and emptier ones."""
    part.ask("make")
    given = {"mode": mode, "size": size, "per_request": per_request}
    part.ask("capture", **given)
    whole = size * per_request
    for real in (whole, whole - 1, size // 2 * per_request, 1, whole):
        said = part.ask("replay", **given, real=real)
        record_property("counts", said)
        expected = counts(size, per_request, real)
        assert said == expected, f"of {real} real tokens the batches have {said}, expected {expected}"


def test_two_graphs_of_one_plugin(part: Part) -> None:
    """They read the same memory: the one captured last and the counts prepared last."""
    part.ask("make")
    part.ask("capture", mode="decode", size=8, per_request=1)
    part.ask("capture", mode="decode", size=4, per_request=1)
    assert part.ask("replay", mode="decode", size=4, per_request=1, real=3) == [2, 1]
