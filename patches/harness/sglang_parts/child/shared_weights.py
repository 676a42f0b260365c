"""The remapping of chosen experts for dispatch by ranks, with the weight that it gives the shared expert.

The function is the target's own. Whether aiter computes the experts is what the target finds out itself: from the
environment, and from the machine, which is described.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import torch
from isolated.errors import HarnessError
from sglang_aiter.child.finder import install
from sglang_aiter.child.server import Provided
from sglang_aiter.tree import Tree

from sglang_parts.child.machine import described, forget

TOPK = "sglang.srt.layers.moe.topk"
_NAMES = ("_remap_topk_for_deepep", "remap_topk_for_per_rank_shared_slots")
_AMD, _OTHER = {"arch": "gfx950", "units": 256}, {"arch": "", "units": 132}


class Part:
    """The function, imported anew where another machine is described."""

    def __init__(self, root: str, device: str, memory: torch.Tensor) -> None:
        self._device = device
        self._amd: bool | None = None
        self._ranks = Provided("the parallel state", moe_ep_size=1, moe_ep_rank=0)
        answers = {
            "get_moe_expert_parallel_world_size": lambda: self._ranks.moe_ep_size,
            "get_moe_expert_parallel_rank": lambda: self._ranks.moe_ep_rank,
            "get_parallel": lambda: self._ranks,
        }
        self.finder = install(Tree(Path(root)), whole=[], stand_ins=answers)

    def remap(
        self,
        amd: bool,
        ranks: list[int],
        experts: int,
        factor: float | None,
        ids: list[list[int]],
        weights: list[list[float]],
    ) -> dict[str, list[list[float]]]:
        """Remap one shared expert beside the routed ones; `ranks` is how many there are, and which this one is."""
        if amd is not self._amd:
            forget()
        self._amd = amd
        self._ranks = Provided("the parallel state", moe_ep_size=ranks[0], moe_ep_rank=ranks[1])
        os.environ["SGLANG_USE_AITER"] = "1" if amd else "0"
        chosen = torch.tensor(ids, dtype=torch.int32, device=self._device).view(len(ids), -1)
        given = torch.tensor(weights, dtype=torch.float32, device=self._device).view(len(ids), -1)
        with described(_AMD if amd else _OTHER):
            module = importlib.import_module(TOPK)
            function = next((found for name in _NAMES if (found := getattr(module, name, None))), None)
            if function is None:
                raise HarnessError(f"The tree has none of {', '.join(_NAMES)}.")
            if not hasattr(module, "fused_shared_expert_weight"):  # the shared expert has its place already
                place = torch.zeros(len(ids), 1, device=self._device)
                chosen, given = torch.cat([chosen, place.int()], 1), torch.cat([given, place], 1)
            config = Provided(
                "the router's configuration",
                routed_scaling_factor=factor,
                apply_routed_scaling_factor_on_output=False,
                use_grouped_topk=True,
                correction_bias=torch.zeros(experts, device=self._device),
                scoring_func="sigmoid",
                custom_routing_function=None,
            )
            made, weighed = function(chosen, given, 1, experts, config)
        return {"ids": made.tolist(), "weights": weighed.tolist()}
