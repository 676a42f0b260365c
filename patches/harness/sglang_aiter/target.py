"""The target's backend, loaded, and what it can do.

Tells releases apart by what their code has, never by a version number: a branch between two releases must work too.
"""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar

import torch

from sglang_aiter.device import Device
from sglang_aiter.errors import HarnessError
from sglang_aiter.finder import TargetFinder, install
from sglang_aiter.server import Server, Setting, model_runner
from sglang_aiter.tree import Tree

BACKEND = "sglang.srt.layers.attention.aiter_backend"
SPLIT = ("init_forward_metadata_capture_cuda_graph", "init_forward_metadata_replay_cuda_graph")
MERGED = ("init_forward_metadata_out_graph", "_apply_cuda_graph_metadata")
PREDICATES = {
    "decode": "is_decode_or_idle",
    "target_verify": "is_target_verify",
    "draft_extend": "is_draft_extend",
    "draft_extend_v2": "is_draft_extend_v2",
}
"""How the graph path asks for each forward mode."""
UNIFIED_SWITCH = "SGLANG_USE_AITER_UNIFIED_ATTN"


class Target:
    """One source tree's backend. There is one in a process, because imports are answered once: `loaded`."""

    loaded: ClassVar[Target | None] = None

    def __init__(self, tree: Tree, device: Device) -> None:
        self.tree, self.device, self._server = tree, device, Server()
        # The backend takes one kernel out of torch.compile, which nothing here uses and which takes a second to load.
        torch.compiler.disable = lambda function, **_options: function
        # aiter plans its persistent MLA kernel on the host, in tables that no case here looks at.
        os.environ["SGLANG_AITER_MLA_PERSIST"] = "0"
        self.finder: TargetFinder = install(tree, whole=[BACKEND], stand_ins=self._server.stand_ins())
        self.module: ModuleType = importlib.import_module(BACKEND)
        self.modes = _named("sglang.srt.model_executor.forward_batch_info", "ForwardMode")
        self._architecture = _named("sglang.srt.configs.model_config", "AttentionArch")

    @classmethod
    def load(cls, device: Device) -> Target:
        """Load the tree that SUITE_TARGET names on a device. Raises what a user would see."""
        cls.loaded = cls(Tree.from_environment(), device)
        return cls.loaded

    def backend(self, setting: Setting, *, planned: bool = False, multi_step: bool = False) -> Any:
        """Build a backend as the server does, with its own constructor.

        What a `planned` one allocates later takes no memory: it lies on torch's meta device. Its constructor does not,
        because some operations load half of torch's compiler the first time they meet that device.
        """
        self._server.setting = setting
        os.environ[UNIFIED_SWITCH] = "1" if setting.unified else "0"
        here = self.device.torch
        runner = model_runner(setting, here, self._architecture, pool_device="meta" if planned else here)
        if multi_step:
            return self.module.AiterMultiStepDraftBackend(runner, setting.topk, setting.steps)
        backend = self.module.AiterAttnBackend
        speculative = {"topk": setting.topk} if "topk" in inspect.signature(backend).parameters else {}
        built = backend(runner, **speculative)
        if planned:
            built.device = "meta"
        return built

    def supports(self, mode: str) -> bool:
        """Whether the graph path of this backend has a branch for a forward mode, one of PREDICATES."""
        return hasattr(self.modes, mode.upper()) and PREDICATES[mode] in self._graph_names()

    def split_methods(self) -> bool:
        """Whether capture and replay are two methods here, or one."""
        if all(name in vars(self.module.AiterAttnBackend) for name in SPLIT):
            return True
        if MERGED[0] in vars(self.module.AiterAttnBackend):
            return False
        raise HarnessError(f"The backend has neither {' and '.join(SPLIT)} nor {MERGED[0]}.")

    def _graph_names(self) -> frozenset[str]:
        methods: list[Callable[..., Any]] = [
            method for name in (*SPLIT, *MERGED) if (method := vars(self.module.AiterAttnBackend).get(name))
        ]
        return frozenset(name for method in methods for name in method.__code__.co_names)


def _named(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)
