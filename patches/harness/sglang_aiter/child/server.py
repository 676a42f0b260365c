"""What a running server would give an attention backend: its settings, its model's shape and its memory pools.

Owns stand-ins for the objects around the backend. They answer what is written here; anything else that the target
reads is a NotProvided, never a made-up value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from sglang_aiter.errors import NotProvided
from sglang_aiter.setting import HEAD_DIM, Setting


class Provided:
    """An object with exactly the attributes that are given."""

    def __init__(self, what: str, **attributes: Any) -> None:
        self._what = what
        vars(self).update(attributes)

    def __getattr__(self, name: str) -> Any:
        raise NotProvided(f"The target reads `{name}` of {self._what}, which the harness does not stand in for.")


class KVPool(Provided):
    """The pool of keys and values. One token's memory stands for all slots: nothing here computes attention."""

    def __init__(self, setting: Setting, dtype: torch.dtype, device: str) -> None:
        heads = 1 if setting.mla else setting.kv_heads
        one = torch.zeros(1, heads, HEAD_DIM, dtype=torch.float32, device=device).to(dtype)
        held = one.expand(setting.slots, -1, -1)
        super().__init__(
            "the KV pool",
            get_v_head_dim=lambda: HEAD_DIM,
            get_value_buffer=lambda _layer: held,
            get_key_buffer=lambda _layer: held,
            get_kv_buffer=lambda _layer: (held, held),
            kv_cache_layout="nhd",
        )


class SlidingPool(KVPool):
    """A pool with sliding-window layers, whose slots are numbered anew: what the target knows as SWAKVPool."""

    def __init__(self, setting: Setting, dtype: torch.dtype, device: str, mapping: torch.Tensor) -> None:
        super().__init__(setting, dtype, device)
        of_layers = {"full_kv_pool": KVPool(setting, dtype, device), "swa_kv_pool": KVPool(setting, dtype, device)}
        vars(self).update(swa_layer_nums=1, full_to_swa_index_mapping=mapping, **of_layers)

    def translate_loc_from_full_to_swa(self, slots: torch.Tensor) -> torch.Tensor:
        """Number slots as the sliding-window layers do."""
        table: torch.Tensor = self.full_to_swa_index_mapping
        return table[slots.long()].to(torch.int32)


class Translator(Provided):
    """Reads token slots as they are, which is what a pool without a virtual address space does."""

    def read_source(self, _plan: Any, *, req_pool_indices: torch.Tensor, bs: int, **_kind: Any) -> Provided:
        """Name the rows to read; `v2p` None is no translation."""
        table = self.req_to_token
        return Provided(
            "a row source", ids=table, row_ids=req_pool_indices, row_stride=table.stride(0), entry_page_size=1, v2p=None
        )


def model_runner(
    setting: Setting, device: str, architecture: Any, table: torch.Tensor, kv_pool: KVPool, cache: torch.dtype
) -> Provided:
    """Build what the backend's constructor reads. `architecture` is the target's own enum of attention kinds."""
    dtype = getattr(torch, setting.dtype)
    pool = Provided("the request pool", size=setting.pool or setting.max_bs, req_to_token=table)
    model = Provided(
        "the model's configuration",
        dtype=dtype,
        is_multimodal=False,
        num_attention_heads=setting.heads,
        head_dim=HEAD_DIM,
        v_head_dim=HEAD_DIM,
        context_len=setting.context,
        attention_arch=architecture.MLA if setting.mla else architecture.MHA,
        get_num_kv_heads=lambda _ranks: 1 if setting.mla else setting.kv_heads,
    )
    return Provided(
        "the model runner",
        device=device,
        dtype=dtype,
        kv_cache_dtype=cache,
        model_config=model,
        server_args=Provided("the server's arguments", **_server_arguments(setting)),
        req_to_token_pool=pool,
        token_to_kv_pool=kv_pool,
        token_to_kv_pool_allocator=Provided("the KV allocator", get_kvcache=lambda: kv_pool),
        kv_index_translator=Translator("the index translator", req_to_token=table),
        sliding_window_size=setting.context if setting.window else None,
        is_draft_worker=False,
        decode_attention_backend_str="aiter",
        spec_algorithm=Provided("the speculative algorithm", is_frozen_kv_mtp=lambda: False),
    )


def _server_arguments(setting: Setting) -> Mapping[str, Any]:
    return {
        "page_size": setting.page,
        "speculative_num_draft_tokens": setting.draft,
        "speculative_num_steps": setting.steps,
        "speculative_algorithm": "EAGLE" if setting.draft else None,
        "speculative_attention_mode": "prefill",
    }


class Server:
    """The server that the target believes it runs in; `setting` is the one of the case at hand."""

    def __init__(self) -> None:
        self.setting = Setting()

    def stand_ins(self) -> dict[str, Any]:
        """Name the target's functions that only a running server could answer, by what answers here."""
        alone = {"attn_tp_size": 1, "attn_tp_rank": 0, "attn_dcp_size": 1, "attn_dcp_rank": 0}
        return {
            "get_attention_tp_size": lambda: 1,
            "is_dp_attention_enabled": lambda: False,
            "get_parallel": lambda: Provided("the parallel state", **alone),
            "get_schedule": lambda: Provided("the schedule's settings", page_size=self.setting.page),
            "get_spec": lambda: Provided("the speculative settings", **_server_arguments(self.setting)),
            "get_server_args": lambda: Provided("the server's arguments", **_server_arguments(self.setting)),
            "get_global_server_args": lambda: Provided("the server's arguments", **_server_arguments(self.setting)),
            "SWAKVPool": SlidingPool,
            # It quantizes queries by a library of the server's; of the queries nothing is looked at.
            "scaled_fp8_quant": lambda queries, *_scales, **_options: (queries, torch.ones(1, device=queries.device)),
        }
