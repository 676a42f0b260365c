"""The target's backend, loaded, and what it can do.

Tells releases apart by what their code has, never by a version number: a branch between two releases must work too.
"""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from isolated.errors import HarnessError

from sglang_aiter.child.finder import TargetFinder, install
from sglang_aiter.child.server import KVPool, Server, SlidingPool, model_runner
from sglang_aiter.setting import Setting
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
    """One source tree's backend. There is one in a process, because imports are answered once."""

    def __init__(self, root: str, device: str, *, persistent: bool = False) -> None:
        """Load it; a `persistent` one plans MLA kernels on the host, in tables that most cases do not look at."""
        self.device, self._server = device, Server()
        # The backend takes one kernel out of torch.compile, which nothing here uses and which takes a second to load.
        torch.compiler.disable = lambda function, **_options: function
        os.environ["SGLANG_AITER_MLA_PERSIST"] = "1" if persistent else "0"
        self.finder: TargetFinder = install(
            Tree(Path(root)), whole=[BACKEND], stand_ins=self._server.stand_ins(), gpu=device != "cpu"
        )
        self.module: ModuleType = importlib.import_module(BACKEND)
        self.modes = _named("sglang.srt.model_executor.forward_batch_info", "ForwardMode")
        self._architecture = _named("sglang.srt.configs.model_config", "AttentionArch")

    def backend(self, setting: Setting, table: torch.Tensor, mapping: torch.Tensor | None, *, multi_step: bool) -> Any:
        """Build a backend as the server does, with its own constructor."""
        self._server.setting = setting
        os.environ[UNIFIED_SWITCH] = "1" if setting.unified else "0"
        cache = self._cache_dtype(setting)
        self.pool = KVPool(setting, cache, self.device)
        if mapping is not None:
            self.pool = SlidingPool(setting, cache, self.device, mapping)
        runner = model_runner(setting, self.device, self._architecture, table, self.pool, cache)
        if multi_step:
            return self.module.AiterMultiStepDraftBackend(runner, setting.topk, setting.steps)
        backend = self.module.AiterAttnBackend
        speculative = {"topk": setting.topk} if "topk" in inspect.signature(backend).parameters else {}
        return backend(runner, **speculative)

    def supports(self, mode: str) -> bool:
        """Whether the graph path of this backend has a branch for a forward mode, one of PREDICATES."""
        return hasattr(self.modes, mode.upper()) and PREDICATES[mode] in self._graph_names()

    def verifies_plainly(self) -> bool:
        """Whether drafts are verified with neither MLA nor unified attention; older releases lose what they prepare."""
        methods = [each for name, each in vars(self.module.AiterAttnBackend).items() if name != "__init__"]
        return any(
            "extend_attention_fwd" in method.__code__.co_names for method in methods if inspect.isfunction(method)
        )

    def split_methods(self) -> bool:
        """Whether capture and replay are two methods here, or one."""
        if all(name in vars(self.module.AiterAttnBackend) for name in SPLIT):
            return True
        if MERGED[0] in vars(self.module.AiterAttnBackend):
            return False
        raise HarnessError(f"The backend has neither {' and '.join(SPLIT)} nor {MERGED[0]}.")

    def _cache_dtype(self, setting: Setting) -> torch.dtype:
        if setting.cache == "model":
            return getattr(torch, setting.dtype)  # type: ignore[no-any-return]
        return getattr(self.module, "fp8_dtype", torch.float8_e4m3fn)

    def _graph_names(self) -> frozenset[str]:
        methods: list[Callable[..., Any]] = [
            method for name in (*SPLIT, *MERGED) if (method := vars(self.module.AiterAttnBackend).get(name))
        ]
        return frozenset(name for method in methods for name in method.__code__.co_names)


def _named(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)
