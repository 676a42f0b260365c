"""The Triton backend's number of KV splits on a machine that is described, and the buffers that follow from it.

The backend is built by its own constructor. Its tensors are on torch's meta device and take no memory: of the machine
the backend asks no more than what a description can answer.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import torch
from sglang_aiter.child.finder import install
from sglang_aiter.child.server import Provided, Server
from sglang_aiter.tree import Tree

from sglang_parts.child.machine import described, forget

BACKEND = "sglang.srt.layers.attention.triton_backend"
_KV_HEAD_DIM = 512


class Part:
    """The backend, imported anew for each machine: it asks what it runs on once in a process."""

    def __init__(self, root: str, device: str, memory: torch.Tensor) -> None:
        torch.compiler.disable = lambda function, **_options: function  # nothing is compiled, and it takes a second
        self._machine: dict[str, Any] = {}
        self._settings: dict[str, Any] = {}
        self.finder = install(Tree(Path(root)), whole=[], stand_ins=self._stand_ins(), gpu=device != "cpu")

    def build(self, machine: dict[str, Any], settings: dict[str, Any], max_bs: int) -> dict[str, Any]:
        """Build the backend of a server on a machine; say how many splits it takes, and what its logits' buffer is."""
        if machine != self._machine:
            forget()
        self._machine, self._settings = machine, settings
        with described(machine):
            module = importlib.import_module(BACKEND)
            architecture = importlib.import_module("sglang.srt.configs.model_config").AttentionArch
            backend = module.TritonAttnBackend(self._runner(architecture, max_bs))
            backend.init_cuda_graph_state(max_bs, max_bs)
        logits = backend.cuda_graph_attn_logits
        return {
            "splits": int(backend.max_kv_splits),
            "logits": list(logits.shape),
            "bytes": logits.numel() * logits.element_size(),
        }

    def _stand_ins(self) -> dict[str, Any]:
        kinds = ("hybrid_gdn_config", "kimi_linear_config", "linear_attn_model_spec", "mambaish_config")
        return Server().stand_ins() | {
            **dict.fromkeys(kinds, lambda _model: None),
            "get_server_args": self._arguments,
            "get_global_server_args": self._arguments,
            "get_device_core_count": lambda _gpu: self._machine["units"],
            "is_arch_support_pdl": lambda: False,
            "cuda_graph_fully_disabled": lambda: False,
            "check_cuda_graph_backend": lambda *_phase: False,
        }

    def _arguments(self) -> Provided:
        return Provided(
            "the server's arguments",
            speculative_num_draft_tokens=None,
            speculative_num_steps=None,
            speculative_eagle_topk=None,
            disable_cuda_graph=False,
            chunked_prefill_size=8192,
            enable_deterministic_inference=False,
            triton_attention_split_tile_size=None,
            triton_attention_num_kv_splits=self._settings["splits"],
        )

    def _runner(self, architecture: Any, max_bs: int) -> Provided:
        mla, context = self._settings["mla"], self._settings["context"]
        values = torch.empty(1, 1, _KV_HEAD_DIM, device="meta")
        table = torch.zeros(max_bs + 1, context, dtype=torch.int32, device="meta")
        pool = Provided(
            "the KV pool",
            get_value_buffer=lambda _layer: values,
            get_v_head_dim=lambda: _KV_HEAD_DIM,
            start_layer=0,
        )
        model = Provided(
            "the model's configuration",
            attention_arch=architecture.MLA if mla else architecture.MHA,
            num_attention_heads=self._settings["heads"],
            get_num_kv_heads=lambda *_ranks: 1 if mla else self._settings["heads"],
            context_len=context,
            v_head_dim=_KV_HEAD_DIM,
            swa_v_head_dim=_KV_HEAD_DIM,
            is_encoder_decoder=False,
        )
        return Provided(
            "the model runner",
            device="meta",
            gpu_id=0,
            model_config=model,
            server_args=self._arguments(),
            sliding_window_size=None,
            req_to_token_pool=Provided("the request pool", size=max_bs, req_to_token=table),
            token_to_kv_pool=pool,
            token_to_kv_pool_allocator=None,
            hybrid_gdn_config=None,
            kimi_linear_config=None,
            linear_attn_model_spec=None,
            mambaish_config=None,
            page_size=1,
            is_draft_worker=False,
            spec_algorithm=Provided("the speculative algorithm", is_dspark=lambda: False),
        )
