"""What a running server would give an attention backend: its settings, its model's shape and its memory pools.

Owns stand-ins for the objects around the backend. They answer what is written here; anything else that the target
reads is a NotProvided, never a made-up value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from sglang_aiter.errors import NotProvided

HEADS, HEAD_DIM = 16, 128
EXTRA_COLUMNS = 4
"""Columns that the server adds to each request's row of token slots, besides the draft tokens."""


@dataclass(frozen=True)
class Setting:
    """One server configuration. `draft` is None without speculative decoding; `pool` is the largest running batch."""

    max_bs: int = 4
    context: int = 64
    page: int = 16
    draft: int | None = None
    steps: int | None = None
    topk: int = 1
    mla: bool = False
    unified: bool = False
    pool: int | None = None

    @property
    def blocks(self) -> int:
        """Pages of one sequence at full context."""
        return -(-self.context // self.page)

    def __str__(self) -> str:
        path = ("mla-" if self.mla else "") + ("unified-" if self.unified else "")
        return f"{path}page{self.page}-ctx{self.context}-max_bs{self.max_bs}"


class Provided:
    """An object with exactly the attributes that are given."""

    def __init__(self, what: str, **attributes: Any) -> None:
        self._what = what
        vars(self).update(attributes)

    def __getattr__(self, name: str) -> Any:
        raise NotProvided(f"The target reads `{name}` of {self._what}, which the harness does not stand in for.")


class TokenPool(Provided):
    """Requests' rows of token slots: whole pages in shuffled order, so that no two slots and no two rows are alike."""

    def __init__(self, setting: Setting, device: str) -> None:
        rows = (setting.pool or setting.max_bs) + 1
        columns = setting.context + EXTRA_COLUMNS + (setting.draft or 0) + (setting.steps or 0)
        if device == "meta":
            table = torch.empty(rows, columns, dtype=torch.int32, device=device)
        else:
            table = _token_slots(rows, columns, setting.page).to(device)
        super().__init__("the request pool", size=setting.pool or setting.max_bs, req_to_token=table)


def _token_slots(rows: int, columns: int, page: int) -> torch.Tensor:
    pages = -(-columns // page)
    shuffled = torch.randperm(rows * pages, generator=torch.Generator().manual_seed(24587)).view(rows, pages, 1) + 1
    slots = shuffled * page + torch.arange(page)
    return slots.view(rows, -1)[:, :columns].to(torch.int32).contiguous()


class Translator(Provided):
    """Reads token slots as they are, which is what a pool without a virtual address space does."""

    def read_source(self, _plan: Any, *, req_pool_indices: torch.Tensor, bs: int, **_kind: Any) -> Provided:
        """Name the rows to read; `v2p` None is no translation."""
        table = self.req_to_token
        return Provided(
            "a row source", ids=table, row_ids=req_pool_indices, row_stride=table.stride(0), entry_page_size=1, v2p=None
        )


def model_runner(setting: Setting, device: str, architecture: Any, *, pool_device: str) -> Provided:
    """Build what the backend's constructor reads. `architecture` is the target's own enum of attention kinds."""
    pool = TokenPool(setting, pool_device)
    model = Provided(
        "the model's configuration",
        dtype=torch.bfloat16,
        is_multimodal=False,
        num_attention_heads=HEADS,
        head_dim=HEAD_DIM,
        v_head_dim=HEAD_DIM,
        context_len=setting.context,
        attention_arch=architecture.MLA if setting.mla else architecture.MHA,
        get_num_kv_heads=lambda _ranks: 1 if setting.mla else HEADS,
    )
    kv_pool = Provided(
        "the KV pool",
        get_v_head_dim=lambda: HEAD_DIM,
        get_value_buffer=lambda _layer: torch.empty(1, HEADS, HEAD_DIM),
        kv_cache_layout="nhd",
    )
    return Provided(
        "the model runner",
        device=device,
        dtype=torch.bfloat16,
        kv_cache_dtype=torch.bfloat16,
        model_config=model,
        server_args=Provided("the server's arguments", **_server_arguments(setting)),
        req_to_token_pool=pool,
        token_to_kv_pool=kv_pool,
        token_to_kv_pool_allocator=Provided("the KV allocator", get_kvcache=lambda: kv_pool),
        kv_index_translator=Translator("the index translator", req_to_token=pool.req_to_token),
        sliding_window_size=None,
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
        }
