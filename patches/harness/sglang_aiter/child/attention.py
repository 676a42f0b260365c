"""The attention kernels' places: what the target hands to aiter is noted there, and no attention is computed."""

from __future__ import annotations

from typing import Any

import torch

from sglang_aiter.child.calls import Calls
from sglang_aiter.child.server import Provided
from sglang_aiter.setting import HEAD_DIM

KERNELS = {
    "unified_attention": (),
    "paged_attention_ragged": (
        *("out", "workspace", "q", "k", "v", "scale", "kv_indptr", "kv_indices", "kv_last_page_lens", "block_size"),
    ),
    "mla_decode_fwd": ("q", "k", "o", "qo_indptr", "kv_indptr", "kv_indices", "kv_last_page_lens", "max_seqlen_q"),
    "mha_batch_prefill_func": (
        *("q", "k", "v", "cu_seqlens_q", "kv_indptr", "kv_indices", "max_seqlen_q", "max_seqlen_k"),
    ),
    "extend_attention_fwd": (
        *("q", "k_extend", "v_extend", "o", "k", "v", "qo_indptr", "kv_indptr", "kv_indices", "custom_mask", "causal"),
        *("mask_indptr", "max_len_extend"),
    ),
}
"""aiter's kernels, and sglang's own for a tree of drafts, with the names of what they take by place."""
_WANTED = ("kv_indptr", "kv_indices", "kv_last_page_lens", "block_table", "seqused_k", "cu_seqlens_q", "qo_indptr")


class _Noted(BaseException):
    """A kernel was called: what would be done with its result is not looked at."""

    def __init__(self, kernel: str, given: dict[str, Any]) -> None:
        self.kernel, self.given = kernel, given


def called(calls: Calls, mode: str, *, window: bool) -> tuple[str, dict[str, torch.Tensor], dict[str, Any]]:
    """Run the backend's own attention up to its kernel; return which one it is, its index tensors and its numbers.

    The kernel's `block` is how many tokens one index stands for: the second size of the keys that it is given.
    """
    backend, forward, setting = calls.backend, calls.forward, calls.setting
    tokens = len(forward.input_ids)
    layer = _layer(calls, window)
    dtype = getattr(torch, setting.dtype)
    q = torch.zeros(tokens, setting.heads, HEAD_DIM, dtype=dtype, device=calls.target.device)
    k = torch.zeros(tokens, layer.tp_k_head_num, HEAD_DIM, dtype=dtype, device=calls.target.device)
    before = {name: getattr(calls.target.module, name, None) for name in KERNELS}
    for name in KERNELS:
        setattr(calls.target.module, name, _note(name))
    backend.extend_attention_fwd = _note("extend_attention_fwd")
    method = backend.forward_decode if mode == "decode" else backend.forward_extend
    try:
        method(q, k, k, layer, forward, save_kv_cache=False)
    except _Noted as noted:
        return noted.kernel, *_sorted(noted.kernel, noted.given)
    finally:
        for name, value in before.items():
            setattr(calls.target.module, name, value)
    return "", {}, {}


def _note(name: str) -> Any:
    def note(*args: Any, **kwargs: Any) -> Any:
        raise _Noted(name, dict(zip(KERNELS[name], args, strict=False)) | kwargs)

    return note


def _sorted(kernel: str, given: dict[str, Any]) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    tensors = {name: given[name] for name in _WANTED if isinstance(given.get(name), torch.Tensor)}
    numbers = {name: value for name, value in given.items() if isinstance(value, int) and not isinstance(value, bool)}
    keys = given.get("k", given.get("kv_buffer"))
    paged = kernel in ("unified_attention", "paged_attention_ragged", "mla_decode_fwd")
    numbers["block"] = int(keys.shape[1]) if paged and isinstance(keys, torch.Tensor) else 1
    return tensors, numbers


def _layer(calls: Calls, window: bool) -> Provided:
    heads, kv_heads = calls.setting.heads, 1 if calls.setting.mla else calls.setting.kv_heads
    return Provided(
        "the layer",
        layer_id=0,
        tp_q_head_num=heads,
        tp_k_head_num=kv_heads,
        tp_v_head_num=kv_heads,
        qk_head_dim=HEAD_DIM,
        head_dim=HEAD_DIM,
        v_head_dim=HEAD_DIM,
        logit_cap=0.0,
        scaling=1.0,
        k_scale=None,
        v_scale=None,
        is_cross_attention=False,
        sliding_window_size=calls.setting.context if window else -1,
    )
