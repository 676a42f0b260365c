"""The plugin by which graphs of two overlapping batches learn how many of each batch's tokens are real.

Its buffer, what it captures and what it prepares for a replay are the target's own. The batches that it would make are
not: what a captured graph reads of them is the two counts, and a graph of the harness reads these.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from isolated.errors import HarnessError
from sglang_aiter.child.finder import install
from sglang_aiter.child.graphs import Graph
from sglang_aiter.child.server import Provided
from sglang_aiter.tree import Tree

from sglang_parts.child.on_device import OnDevice

MODULES = ("sglang.srt.batch_overlap.two_batch_overlap", "sglang.srt.two_batch_overlap")
_SERVER = Provided("the server's arguments", device="cuda")

STAND_INS = {
    "get_global_server_args": lambda: _SERVER,
    "get_server_args": lambda: _SERVER,
    "get_device": lambda: _SERVER,
    "global_server_args_dict": {"device": "cuda"},
    "is_tbo_enabled": lambda: True,
}
"""The target's names that only a running server could answer, by what answers here."""


class Part:
    """The plugin that was made last, and the graph that reads what it captured."""

    def __init__(self, root: str, device: str, memory: torch.Tensor) -> None:
        self.finder = install(Tree(Path(root)), whole=[], stand_ins=STAND_INS, gpu=device != "cpu")
        self._device = device
        self._module = _imported()
        self._modes = importlib.import_module("sglang.srt.model_executor.forward_batch_info").ForwardMode
        self._module.TboForwardBatchPreparer.prepare_raw = self._note

    def make(self) -> dict[str, Any]:
        """Make the plugin; describe the tensor that it keeps."""
        with OnDevice(self._device, strict=True):
            self._plugin = self._module.TboCudaGraphRunnerPlugin()
        kept = [value for value in vars(self._plugin).values() if isinstance(value, torch.Tensor)]
        if len(kept) != 1:
            raise HarnessError(f"The plugin keeps {len(kept)} tensors; one is known here.")
        dtype = str(kept[0].dtype).removeprefix("torch.")
        return {"device": kept[0].device.type, "dtype": dtype, "shape": list(kept[0].shape)}

    def capture(self, mode: str, size: int, per_request: int) -> None:
        """Capture a batch size, with a graph that marks the padding of both batches as an expert layer does."""
        tokens = size * per_request
        batch = Provided(
            "the forward batch",
            forward_mode=self._mode(mode),
            spec_info=Provided("the verify input", draft_token_num=per_request),
            input_ids=torch.zeros(tokens, dtype=torch.int64, device=self._device),
            extend_seq_lens_cpu=None,
            num_token_non_padded_cpu=tokens,
            global_num_token_non_padded_cpu=tokens,
            batch_size=size,
        )
        with OnDevice(self._device):
            self._plugin.capture_one_batch_size(batch, tokens)
        first, second = self._captured
        places = torch.arange(tokens, device=self._device)
        self._padding = torch.zeros(2, tokens, dtype=torch.bool, device=self._device)

        def mark() -> None:
            self._padding[0].copy_(places >= first)
            self._padding[1].copy_(places >= second)

        self._graph = Graph(mark, gpu=self._device != "cpu")

    def replay(self, mode: str, size: int, per_request: int, real: int) -> list[int]:
        """Prepare a replay of so many real tokens, and replay the graph; count what each batch has not as padding."""
        verify = Provided("the verify input", draft_token_num=per_request)
        given = {"forward_mode": self._mode(mode), "bs": size, "num_token_non_padded": real, "spec_info": verify}
        with OnDevice(self._device):
            self._plugin.replay_prepare(**given)
        self._graph.replay()
        return [int(count) for count in (~self._padding).sum(dim=1)]

    def _mode(self, name: str) -> Any:
        return getattr(self._modes, name.upper())

    def _note(self, _batch: Any, tbo_children_num_token_non_padded: torch.Tensor) -> None:
        """Take the counts apart as the preparer does, and keep the two."""
        [first, second] = tbo_children_num_token_non_padded
        self._captured = (first, second)


def _imported() -> ModuleType:
    for name in MODULES:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    raise HarnessError(f"The tree has none of {', '.join(MODULES)}.")
