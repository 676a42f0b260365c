"""The AITER backend's plan for MLA decode: what it tells aiter's planner, which is not here and need not be."""

from __future__ import annotations

from typing import Any

import torch
from sglang_aiter.child.backend import Target
from sglang_aiter.child.calls import Calls
from sglang_aiter.setting import Batch, Setting

from sglang_parts.child.on_device import OnDevice

_OF_THE_PROCESS = ("_use_mla_ps_kernel", "fast_mode", "intra_batch_mode")
"""What a backend that is built changes for its whole process."""


class Part:
    """The backend of the tree, built anew for each server as in a process of its own."""

    def __init__(self, root: str, device: str, memory: torch.Tensor) -> None:
        self._target = Target(root, device, persistent=True)
        self.finder = self._target.finder
        module = self._target.module
        self._fresh = {name: getattr(module, name) for name in _OF_THE_PROCESS if hasattr(module, name)}
        module.get_mla_metadata_info_v1 = self._sizes
        module.get_mla_metadata_v1 = self._note

    def plan(self, setting: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
        """Return what the planner is told by a step without a graph, a capture and a replay of one server."""
        for name, value in self._fresh.items():
            setattr(self._target.module, name, value)
        chosen, device = Setting(**setting), self._target.device
        table = torch.zeros(chosen.rows, chosen.columns, dtype=torch.int32, device=device)
        requests = Batch((1,), (9,))
        told = {}
        with OnDevice(device):
            backend = self._target.backend(chosen, table, None, multi_step=False)
            calls = Calls(self._target, chosen, backend, table)
            self._told: list[dict[str, Any]] = []
            calls.eager("decode", requests)
            told["eager"], self._told = self._told, []
            calls.allocate(None)
            calls.prepare("decode", requests, in_capture=True)
            told["capture"], self._told = self._told, []
            calls.prepare("decode", requests, in_capture=False)
            told["replay"] = self._told
        return told

    def _sizes(self, *_counts: Any, **named: Any) -> list[tuple[int, torch.dtype]]:
        """Give six tables a size, and keep for which plan they are."""
        self._keep("room", named)
        return [(4, torch.int32)] * 6

    def _note(self, *_tables: Any, **named: Any) -> None:
        self._keep("plan", named)

    def _keep(self, what: str, named: dict[str, Any]) -> None:
        given = {name: named[name] for name in ("fast_mode", "intra_batch_mode") if name in named}
        self._told.append({"what": what} | {name: bool(value) for name, value in given.items()})
