"""The FlashInfer backend that drafts several tokens: its index rows for every step, allocated and filled by itself.

The backends inside it, one a step, are stand-ins that keep what they are handed: FlashInfer is not needed. The kernel
that writes the indices is the target's own.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
from pathlib import Path
from typing import Any

import torch
from isolated.errors import HarnessError
from sglang_aiter.child.buffers import Exports, Slots
from sglang_aiter.child.finder import install
from sglang_aiter.child.server import Provided, Translator
from sglang_aiter.setting import Setting
from sglang_aiter.tree import Tree

from sglang_parts.child.on_device import OnDevice

BACKEND = "sglang.srt.layers.attention.flashinfer_backend"


class Inner:
    """What stands for the backend of one step. `lent` is the row that it was lent, `seen` what it was handed last."""

    def __init__(self, runner: Any, **_buffers: Any) -> None:
        self.max_context_len = runner.model_config.context_len
        self.lent: torch.Tensor | None = None
        self.seen: Any = None

    def init_cuda_graph_state(
        self, max_bs: int, max_num_tokens: int, kv_indices_buf: torch.Tensor | None = None
    ) -> None:
        """Keep the row."""
        self.lent = kv_indices_buf

    def init_forward_metadata(self, forward_batch: Any) -> None:
        """Keep what a step without a graph is handed."""
        self._see(forward_batch.spec_info)

    def init_forward_metadata_capture_cuda_graph(self, *_batch: Any, spec_info: Any, **_rest: Any) -> None:
        """Keep what a capture is handed."""
        self._see(spec_info)

    def init_forward_metadata_replay_cuda_graph(self, *_batch: Any, spec_info: Any, **_rest: Any) -> None:
        """Keep what a replay is handed."""
        self._see(spec_info)

    def init_forward_metadata_out_graph(self, forward_batch: Any, in_capture: bool = False) -> None:
        """Keep what a capture or a replay is handed, where one method does both."""
        self._see(forward_batch.spec_info)

    def _see(self, spec_info: Any) -> None:
        self.seen = (spec_info.kv_indptr, spec_info.kv_indices)


STAND_INS = {
    "FlashInferAttnBackend": Inner,
    "get_cuda_graph_max_batch_size": lambda *given: given[-1],
    "_cuda_graph_capture_max_bs": lambda _arguments, size: size,
    "resolve_draft_decode_window": lambda _runner: (0, 0),
    "build_inner_fb_view": lambda forward_batch, **_view: forward_batch,
}
"""The target's names that only a running server could answer, by what answers here."""


class Part:
    """The backend that was built last, and the server around it."""

    def __init__(self, root: str, device: str, memory: torch.Tensor) -> None:
        self.finder = install(Tree(Path(root)), whole=[], stand_ins=STAND_INS, gpu=device != "cpu")
        self._device, self._memory = device, memory
        self._module = importlib.import_module(BACKEND)
        self._class = self._module.FlashInferMultiStepDraftBackend
        self._kernel = importlib.import_module("triton.runtime.interpreter") if device == "cpu" else None
        if self._kernel is not None:
            limit = importlib.import_module("sglang_aiter.child.interpreter_check").interpreter_limit()
            if limit:
                raise HarnessError(limit)
            # its own check for overflow takes a third of the time
            with contextlib.suppress(AttributeError):
                object.__setattr__(self._kernel.interpreter_builder.options, "sanitize_overflow", False)

    def build(self, setting: dict[str, Any], table: int) -> list[dict[str, Any]]:
        """Build the backend and let it allocate what its graphs read; describe what it made."""
        self._setting = chosen = Setting(**setting)
        size = chosen.rows * chosen.columns * 4
        self._table = self._memory[table : table + size].view(torch.int32).view(chosen.rows, chosen.columns)
        self._backend = self._class(self._runner(), chosen.topk, chosen.steps)
        self._slots = Slots([self._backend])
        with OnDevice(self._device, strict=True):
            self._backend.init_cuda_graph_state(chosen.max_bs, chosen.max_bs * chosen.topk)
        return self._slots.describe()

    def place(self, starts: dict[str, int], exports: list[int]) -> None:
        """Move the buffers to where the judge laid them out, and lend the steps the rows of the moved one."""
        before = self._backend.cuda_graph_kv_indices
        self._slots.move(self._memory, starts)
        moved = self._backend.cuda_graph_kv_indices
        for inner in self._backend.attn_backends:
            offset = inner.lent.storage_offset() - before.storage_offset()
            inner.lent = moved.as_strided(inner.lent.size(), inner.lent.stride(), moved.storage_offset() + offset)
        self._exports = Exports(self._memory, *exports)

    def prepare(self, way: str, rows: list[int], lengths: list[int]) -> list[dict[str, Any]]:
        """Prepare the steps of a batch by one of the ways: capture, replay or eager; show what each step was handed."""
        batch = self._batch(rows, lengths)
        with OnDevice(self._device):
            self._call(way, batch)
        shown = []
        for step, inner in enumerate(self._backend.attn_backends[: self._setting.steps - 1]):
            starts, indices = inner.seen
            key = (way, step)
            said = {"kv_indptr": self._exports.show(starts, (*key, 0)), "kv_indices": self._exports.show(indices, key)}
            shown.append(said | {"lent": self._exports.show(inner.lent, (*key, 1))})
        if self._device != "cpu":
            torch.cuda.synchronize(0)
        return shown

    def _call(self, way: str, batch: Provided) -> None:
        if way == "eager":
            self._backend.init_forward_metadata(batch)
        elif hasattr(self._class, "init_forward_metadata_out_graph"):
            self._backend.init_forward_metadata_out_graph(batch, in_capture=way == "capture")
        elif way == "capture":
            self._backend.init_forward_metadata_capture_cuda_graph(batch)
        else:
            method = self._backend.init_forward_metadata_replay_cuda_graph
            bs = {"bs": batch.batch_size} if "bs" in inspect.signature(method).parameters else {}
            method(batch, **bs)

    def _runner(self) -> Provided:
        chosen = self._setting
        pool = Provided("the request pool", size=chosen.max_bs, req_to_token=self._table)
        return Provided(
            "the model runner",
            device=self._device,
            page_size=chosen.page,
            model_config=Provided("the model's configuration", context_len=chosen.context),
            server_args=Provided("the server's arguments", page_size=chosen.page),
            req_to_token_pool=pool,
            kv_index_translator=Translator("the index translator", req_to_token=self._table),
        )

    def _batch(self, rows: list[int], lengths: list[int]) -> Provided:
        sizes = torch.tensor(lengths, dtype=torch.int64)
        return Provided(
            "the forward batch",
            batch_size=len(rows),
            req_pool_indices=torch.tensor(rows, dtype=torch.int64, device=self._device),
            seq_lens=sizes.to(self._device),
            seq_lens_cpu=sizes,
            seq_lens_sum=int(sizes.sum()),
            positions=sizes.repeat_interleave(self._setting.topk).to(self._device),
            req_to_token_pool=Provided("the request pool", req_to_token=self._table),
            spec_info=Provided("the draft input", is_draft_input=lambda: True),
            kv_loc_plan=None,
        )
