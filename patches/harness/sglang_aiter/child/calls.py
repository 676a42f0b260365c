"""The calls that a server makes into a backend, in any release's shape: capture, replay, and a step without a graph."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from isolated.errors import HarnessError

from sglang_aiter.child.backend import SPLIT, Target
from sglang_aiter.child.server import Provided
from sglang_aiter.setting import Batch, Setting


class Calls:
    """Calls into one backend, which is a multi-step one where it has backends of its own."""

    def __init__(self, target: Target, setting: Setting, backend: Any, table: torch.Tensor) -> None:
        self.target, self.setting, self.backend, self._table = target, setting, backend, table
        self.multi_step = hasattr(backend, "attn_backends")
        self.inner = list(backend.attn_backends) if self.multi_step else [backend]
        self.forward = Provided("the forward batch")
        self._captured: dict[tuple[str, int], list[Any]] = {}

    def allocate(self, lent: torch.Tensor | None) -> None:
        """Let the backend make its graph state; `lent` is a token buffer from outside."""
        setting = self.setting
        tokens = setting.max_bs * setting.topk if self.multi_step else self._most_tokens()
        self.backend.init_cuda_graph_state(setting.max_bs, tokens, *([] if lent is None else [lent]))

    def _most_tokens(self) -> int:
        setting = self.setting
        return setting.max_bs * max(setting.draft or 1, (setting.steps or 0) + 1)

    def prepare(self, mode: str, requests: Batch, *, in_capture: bool) -> list[Any]:
        """Run the graph path on a batch; return each inner backend's metadata."""
        self.forward = forward = self._forward_batch(mode, requests)
        before = [getattr(backend, "forward_metadata", None) for backend in self.inner]
        if self.multi_step:
            self._prepare_multi_step(forward, in_capture)
        elif self.target.split_methods():
            method = getattr(self.backend, SPLIT[0] if in_capture else SPLIT[1])
            _call(method, **vars(forward), bs=requests.size, num_tokens=len(forward.input_ids))
        else:
            self.backend.init_forward_metadata_out_graph(forward, in_capture=in_capture)
        if in_capture:
            self._captured[mode, requests.size] = [backend.forward_metadata for backend in self.inner]
        else:
            self._show_captured(before, self._captured.get((mode, requests.size), before))
        return [backend.forward_metadata for backend in self.inner]

    def _show_captured(self, before: list[Any], captured: list[Any]) -> None:
        """Let a backend whose replay makes no metadata of its own have what its graph was captured with."""
        for backend, old, held in zip(self.inner, before, captured, strict=True):
            if backend.forward_metadata is old:
                backend.forward_metadata = held

    def eager(self, mode: str, requests: Batch) -> list[Any]:
        """Prepare a step that is run without a graph."""
        self.forward = self._forward_batch(mode, requests)
        self.backend.init_forward_metadata(self.forward)
        return [backend.forward_metadata for backend in self.inner]

    def fill_length(self) -> int:
        """Return the length that placeholder sequences have at capture."""
        return int(self.inner[0].get_cuda_graph_seq_len_fill_value())

    def _prepare_multi_step(self, forward: Provided, in_capture: bool) -> None:
        if not self.target.split_methods():
            self.backend.init_forward_metadata_out_graph(forward, in_capture=in_capture)
        elif in_capture:
            _call(getattr(self.backend, SPLIT[0]), forward_batch=forward)
        else:
            _call(getattr(self.backend, SPLIT[1]), forward_batch=forward, bs=forward.batch_size)

    def _forward_batch(self, mode: str, requests: Batch) -> Provided:
        device, setting = self.target.device, self.setting
        lengths = torch.tensor(requests.lengths, dtype=torch.int32)
        per_request = setting.draft or 1 if mode in ("target_verify", "draft_extend_v2") else setting.topk
        tokens = requests.size * per_request
        return Provided(
            "the forward batch",
            batch_size=requests.size,
            forward_mode=getattr(self.target.modes, mode.upper()),
            req_pool_indices=torch.tensor(requests.rows, dtype=torch.int32, device=device),
            seq_lens=lengths.to(device),
            seq_lens_cpu=lengths,
            seq_lens_sum=int(lengths.sum()),
            extend_seq_lens=torch.full((requests.size,), per_request, dtype=torch.int32, device=device),
            extend_seq_lens_cpu=[per_request] * requests.size,
            input_ids=torch.zeros(tokens, dtype=torch.int64, device=device),
            positions=lengths.to(torch.int64).repeat_interleave(setting.topk).to(device),
            spec_info=self._speculative(mode, requests),
            encoder_lens=None,
            out_cache_loc=None,
            kv_loc_plan=None,
            req_to_token_pool=Provided("the request pool", req_to_token=self._table),
            token_to_kv_pool=self.target.pool,
        )

    def _speculative(self, mode: str, requests: Batch) -> Provided | None:
        """Build what a speculative worker hands over, in this mode."""
        if self.multi_step:
            return Provided("the draft input")
        if mode == "decode":
            return None
        device, draft = self.target.device, self.setting.draft or 0
        accepted = torch.full((requests.size,), (self.setting.steps or 0) + 1, dtype=torch.int32, device=device)
        names = ("num_accept_tokens", "num_accepted_tokens", "accept_length")
        return Provided(
            "the speculative input",
            draft_token_num=draft,
            custom_mask=self._custom_mask(requests),
            generate_attn_arg_prefill=self._prefill_arguments,
            **dict.fromkeys(names, accepted),
        )

    def _custom_mask(self, requests: Batch) -> torch.Tensor:
        """Make the verify step's mask, cut to what a graph's buffer for it holds: one more is not looked at here."""
        draft = self.setting.draft or 0
        needed = sum(draft * (length + draft) for length in requests.lengths)
        cut = hasattr(self.inner[0], "cuda_graph_custom_mask")
        room = self._most_tokens() * self.setting.context if cut else needed
        return torch.ones(min(needed, room), dtype=torch.uint8, device=self.target.device)

    def _prefill_arguments(self, rows: Any, lengths: Any, _total: int, req_to_token: Any) -> tuple[Any, ...]:
        """Answer for the verify input's own index builder, which the oldest capture path asks."""
        sizes = [int(each) for each in lengths]
        indices = torch.cat([req_to_token[int(row), :size] for row, size in zip(rows, sizes, strict=True)])
        starts = torch.tensor([0, *sizes], dtype=torch.int32, device=self.target.device).cumsum(0).to(torch.int32)
        return indices, starts, starts, None


def _call(method: Callable[..., Any], **offered: Any) -> None:
    """Call with those of the offered arguments that the method takes."""
    parameters = _parameters(getattr(method, "__func__", method))
    missing = [name for name, each in parameters.items() if name not in offered and each.default is each.empty]
    if missing:
        raise HarnessError(f"{method.__qualname__} takes {', '.join(missing)}, which the harness does not know.")
    method(**{name: offered[name] for name in parameters if name in offered})


@cache
def _parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return what a method takes besides `self`; looked up once, as each replay calls it."""
    return {name: each for name, each in inspect.signature(function).parameters.items() if name != "self"}
