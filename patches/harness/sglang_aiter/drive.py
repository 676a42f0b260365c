"""One backend with guarded buffers, captured and replayed as a server does it.

Owns the calls into the target's graph path in either of its shapes, and what they leave behind: the metadata that a
captured graph would go on reading. Judges nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from sglang_aiter import reference
from sglang_aiter.arena import Guard
from sglang_aiter.errors import HarnessError
from sglang_aiter.server import Provided, Setting
from sglang_aiter.target import SPLIT, Target


@dataclass(frozen=True)
class Batch:
    """Requests by their row in the token pool, with the length of each sequence."""

    rows: tuple[int, ...]
    lengths: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of requests."""
        return len(self.rows)


def batch(lengths: Sequence[int]) -> Batch:
    """Take rows in falling order, so that row and place in the batch differ. Row 0 is what padding points at."""
    return Batch(tuple(range(len(lengths), 0, -1)), tuple(lengths))


class Driver:
    """A backend of the target for one setting, its graph state allocated and guarded."""

    def __init__(self, target: Target, setting: Setting, *, multi_step: bool = False, lend: bool = False) -> None:
        """Allocate as the server does; with `lend` the backend gets its token buffer from outside."""
        self.target, self.setting, self.multi_step = target, setting, multi_step
        self.backend = target.backend(setting, multi_step=multi_step)
        self.inner = list(self.backend.attn_backends) if multi_step else [self.backend]
        self._guard = Guard([self.backend, *self.inner] if multi_step else self.inner)
        lent = [self._lent_buffer()] if lend else []
        self.backend.init_cuda_graph_state(setting.max_bs, setting.max_bs * self._tokens_per_request(), *lent)
        self._guard.close(self._room())
        empty = [slot for slot in self._guard.empty if slot.startswith("cuda_graph_")]
        assert not empty, f"{', '.join(empty)} have no elements"

    @property
    def req_to_token(self) -> torch.Tensor:
        """The token pool's table."""
        return self.inner[0].req_to_token  # type: ignore[no-any-return]

    def spills(self) -> list[Any]:
        """Say what was written around every buffer so far."""
        if self.target.device.is_gpu:
            torch.cuda.synchronize()
        return self._guard.spills()

    def capture(self, mode: str, size: int) -> list[Any]:
        """Capture a batch size as the server does, on placeholder sequences; return what each graph goes on reading."""
        fill = int(self.inner[0].get_cuda_graph_seq_len_fill_value())
        return self.prepare(mode, Batch((0,) * size, (fill,) * size), in_capture=True)

    def replay(self, mode: str, requests: Batch) -> list[Any]:
        """Prepare a replay on real sequences."""
        return self.prepare(mode, requests, in_capture=False)

    def prepare(self, mode: str, requests: Batch, *, in_capture: bool) -> list[Any]:
        """Run the target's graph path on a batch; return each inner backend's metadata."""
        forward = self._forward_batch(mode, requests)
        if self.multi_step:
            self._call_multi_step(forward, in_capture)
        elif self.target.split_methods():
            method = getattr(self.backend, SPLIT[0] if in_capture else SPLIT[1])
            _call(method, **vars(forward), bs=requests.size, num_tokens=len(forward.input_ids))
        else:
            self.backend.init_forward_metadata_out_graph(forward, in_capture=in_capture)
        return [backend.forward_metadata for backend in self.inner]

    def _call_multi_step(self, forward: Provided, in_capture: bool) -> None:
        if not self.target.split_methods():
            self.backend.init_forward_metadata_out_graph(forward, in_capture=in_capture)
        elif in_capture:
            _call(getattr(self.backend, SPLIT[0]), forward_batch=forward)
        else:
            _call(getattr(self.backend, SPLIT[1]), forward_batch=forward, bs=forward.batch_size)

    def _forward_batch(self, mode: str, requests: Batch) -> Provided:
        device = self.target.device.torch
        lengths = torch.tensor(requests.lengths, dtype=torch.int32)
        per_request = self.setting.draft or 1 if mode in ("target_verify", "draft_extend_v2") else self.setting.topk
        tokens = requests.size * per_request
        return Provided(
            "the forward batch",
            batch_size=requests.size,
            forward_mode=getattr(self.target.modes, mode.upper()),
            req_pool_indices=torch.tensor(requests.rows, dtype=torch.int32, device=device),
            seq_lens=lengths.to(device),
            seq_lens_cpu=lengths,
            seq_lens_sum=int(lengths.sum()),
            input_ids=torch.zeros(tokens, dtype=torch.int64, device=device),
            positions=lengths.to(torch.int64).repeat_interleave(self.setting.topk).to(device),
            spec_info=self._speculative(mode, requests),
            encoder_lens=None,
            out_cache_loc=None,
            kv_loc_plan=None,
            req_to_token_pool=Provided("the request pool", req_to_token=self.req_to_token),
            token_to_kv_pool=None,
        )

    def _speculative(self, mode: str, requests: Batch) -> Provided | None:
        """Build what a speculative worker hands over, in this mode."""
        if self.multi_step:
            return Provided("the draft input")
        if mode == "decode":
            return None
        device, draft = self.target.device.torch, self.setting.draft or 0
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
        """Make the verify step's mask, cut to the graph's mask buffer: that buffer is not what is looked at here."""
        draft = self.setting.draft or 0
        needed = sum(draft * (length + draft) for length in requests.lengths)
        held: torch.Tensor = self.inner[0].cuda_graph_custom_mask
        return torch.ones(min(needed, held.numel()), dtype=held.dtype, device=held.device)

    def _prefill_arguments(self, rows: Any, lengths: Any, _total: int, req_to_token: Any) -> tuple[Any, ...]:
        """Answer for the verify input's own index builder, which the oldest capture path asks."""
        sizes = [int(each) for each in lengths]
        indices = reference.token_indices(req_to_token, [int(row) for row in rows], sizes)
        starts = reference.indptr(sizes).to(torch.int32)
        return indices, starts, starts, None

    def _lent_buffer(self) -> torch.Tensor:
        size = self.setting.max_bs * self.setting.blocks * self.setting.page
        return torch.zeros(size, dtype=torch.int32, device=self.target.device.torch)

    def _tokens_per_request(self) -> int:
        return max(self.setting.draft or 1, (self.setting.steps or 0) + 1 if not self.multi_step else self.setting.topk)

    def _room(self) -> int:
        """Bytes behind a buffer that hold whatever any path could write past its end."""
        setting = self.setting
        row = setting.context + setting.page + 2 * ((setting.draft or 0) + (setting.steps or 0)) + 64
        return 8 * (setting.max_bs + 1) * row * setting.topk


def _call(method: Callable[..., Any], **offered: Any) -> None:
    """Call with those of the offered arguments that the method takes."""
    parameters = inspect.signature(method).parameters
    missing = [name for name, each in parameters.items() if name not in offered and each.default is each.empty]
    if missing:
        raise HarnessError(f"{method.__qualname__} takes {', '.join(missing)}, which the harness does not know.")
    method(**{name: offered[name] for name in parameters if name in offered})
