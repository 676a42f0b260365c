"""The requests that the child answers. Each method is one; what it returns is plain data.

Of a tensor the judge is told where in the shared memory it lies. Nothing here compares anything.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from threading import Thread
from typing import Any

import torch
from isolated.errors import HarnessError
from isolated.memory import opened

from sglang_aiter.child import attention
from sglang_aiter.child.backend import PREDICATES, Target
from sglang_aiter.child.buffers import Exports, Slots, plain
from sglang_aiter.child.calls import Calls
from sglang_aiter.child.graphs import Graph, KernelGraph
from sglang_aiter.setting import Batch, Setting

_FIELDS = ("kv_indptr", "kv_indices", "qo_indptr", "kv_last_page_len", "swa_page_table", "max_q_len", "max_kv_len")
"""What of a backend's metadata the judge looks at."""


class Handler:
    """One child's state: the loaded target, and the backend that was built last."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._target: Target | None = None
        self._memory = torch.empty(0, dtype=torch.uint8)
        self._held: list[tuple[list[Any], Exports]] = []
        self._graphs: list[Any] = []
        self._hashing: Thread | None = None

    def warm(self, gpu: bool, launches: bool, compiles: bool) -> str:
        """Import what compiles kernels, and let it hash itself meanwhile, which it does once in a process.

        Where another Triton keeps its hash elsewhere, it is made when it is needed. With `launches` the GPU is brought
        up, and with `compiles` what launches kernels is compiled. Returns why kernels cannot be run here, or nothing.
        """
        cache = importlib.import_module("triton.runtime.cache")
        if gpu:
            self._hashing = Thread(target=getattr(cache, "triton_key", int), daemon=True)
            self._hashing.start()
        if launches:
            torch.zeros(1, device="cuda")  # brings it up
        if compiles:
            importlib.import_module("sglang_aiter.child.ahead").make_ready()
        with contextlib.suppress(ImportError):
            importlib.import_module("triton.experimental.gluon.language")
        importlib.import_module("sglang_aiter.child.kernels")
        if gpu:
            return ""
        importlib.import_module("sglang_aiter.child.interpreter").interpret_plainly()
        return str(importlib.import_module("sglang_aiter.child.interpreter_check").interpreter_limit())

    def load(self, root: str, device: str, handle: list[Any] | None) -> dict[str, Any]:
        """Import the target. Raises what a user would see."""
        if handle is not None:
            self._memory = opened(handle, self._descriptor)
        self._target = Target(root, device)
        modes = [mode for mode in PREDICATES if self._target.supports(mode)]
        return {"modes": modes, "verifies_plainly": self._target.verifies_plainly()}

    def provenance(self) -> dict[str, str]:
        """Say where each module of the target's came from: its tree, or a stand-in."""
        return dict(self._target.finder.provenance) if self._target else {}

    def build(
        self,
        setting: dict[str, Any],
        table: list[int] | None,
        mapping: list[int] | None,
        multi_step: bool,
        lend: list[int] | None,
        planned: bool,
        allocate: bool,
    ) -> dict[str, Any]:
        """Build a backend and let it allocate; say what it made. A `planned` one takes no memory: it is on meta."""
        chosen = Setting(**setting)
        pool = self._part(table, torch.int32, chosen.rows, chosen.columns, planned=planned)
        numbers = self._part(mapping, torch.int64, chosen.slots, planned=planned) if chosen.window else None
        backend = self._loaded.backend(chosen, pool, numbers, multi_step=multi_step)
        self._calls = calls = Calls(self._loaded, chosen, backend, pool)
        self._held, self._graphs = [], []
        if planned:
            for owner in {id(each): each for each in (backend, *calls.inner)}.values():
                _plan(owner)
        self._slots = Slots([backend, *calls.inner] if multi_step else calls.inner)
        if allocate:
            calls.allocate(None if lend is None else self._part(lend, torch.int32, lend[1]))
        first = calls.inner[0]
        return {
            "buffers": self._slots.describe(),
            "fill": calls.fill_length(),
            "unified": bool(getattr(first, "use_triton_unified_attention", False)),
            "unified_verify": bool(getattr(first, "_use_unified_verify", False)),
            "window": bool(getattr(first, "use_sliding_window_kv_pool", False)),
        }

    def place(self, starts: dict[str, int], exports: list[int]) -> None:
        """Move the buffers to where the judge laid them out; `exports` is the part for copies."""
        self._slots.move(self._memory, starts)
        self._exports = Exports(self._memory, *exports)

    def prepare(
        self, mode: str, rows: list[int], lengths: list[int], in_capture: bool, hold: bool, again: int | None = None
    ) -> dict[str, Any]:
        """Run the graph path; return the metadata it leaves. With `hold` it can be shown again, by its number.

        `again` is the number of metadata that is shown as well, as it is after this.
        """
        self._hashed()
        made = self._calls.prepare(mode, Batch(tuple(rows), tuple(lengths)), in_capture=in_capture)
        if hold:
            self._held.append((made, self._exports))
        return {
            "held": len(self._held) - 1,
            "metadata": self._show(made, ("held", len(self._held)) if hold else "now"),
            "again": None if again is None else self.again(again),
        }

    def again(self, held: int) -> list[dict[str, Any]]:
        """Show metadata that is held, as it is by now."""
        return self._show(self._held[held][0], ("held", held + 1))

    def eager(self, mode: str, rows: list[int], lengths: list[int]) -> list[dict[str, Any]]:
        """Prepare a step without a graph."""
        self._hashed()
        return self._show(self._calls.eager(mode, Batch(tuple(rows), tuple(lengths))), "eager")

    def attend(self, mode: str, windows: list[bool]) -> list[dict[str, Any]]:
        """Run the attention of what was prepared last, up to the kernel; say what each kind of layer gives to that.

        A limit of the harness ends the answer early; it is its last part.
        """
        answer: list[dict[str, Any]] = []
        for window in windows:
            try:
                kernel, tensors, numbers = attention.called(self._calls, mode, window=window)
            except HarnessError as limit:
                answer.append({"limit": str(limit)})
                break
            shown = {name: self._exports.show(tensor, ("attend", window, name)) for name, tensor in tensors.items()}
            answer.append({"kernel": kernel, "tensors": shown, "numbers": numbers})
        self._wait()
        return answer

    def read_by_graph(self, held: int) -> dict[str, Any]:
        """Capture a graph that copies the indices of held metadata; return its number and where the copies lie."""
        sources = {
            (place, name): value
            for place, metadata in enumerate(self._held[held][0])
            for name in ("kv_indptr", "kv_indices", "swa_page_table")
            if isinstance(value := getattr(metadata, name, None), torch.Tensor)
        }
        copies = {key: self._exports.room(source, ("read", held, *key)) for key, source in sources.items()}

        def read() -> None:
            for key, source in sources.items():
                copies[key][0].copy_(source)

        self._graphs.append(Graph(read, gpu=self._gpu))
        shown: list[dict[str, Any]] = [{} for _ in self._held[held][0]]
        for (place, name), (copy, start) in copies.items():
            shown[place][name] = plain(copy) | {"start": start, "own": False}
        return {"graph": len(self._graphs) - 1, "metadata": shown}

    def replay_graph(self, graph: int) -> None:
        """Replay a graph."""
        self._graphs[graph].replay()

    def capture_kernels(self, mode: str, rows: list[int], lengths: list[int]) -> int | None:
        """Capture the kernels that a replay launches; return the graph's number, or None where it launches none."""
        self._record(mode, rows, lengths)
        if not self._recorded:
            return None
        self._graphs.append(KernelGraph(self._recorded, gpu=self._gpu))
        return len(self._graphs) - 1

    def launch(self, graph: int, mode: str, rows: list[int], lengths: list[int]) -> dict[str, Any]:
        """Prepare a replay, and say whether the captured kernels fit what it launches."""
        made = self._record(mode, rows, lengths)
        return {"fits": self._graphs[graph].fits(self._recorded), "metadata": self._show(made, "now")}

    def replay_kernels(self, graph: int) -> None:
        """Replay captured kernels on the inputs of what was launched last."""
        self._graphs[graph].replay(self._recorded)
        self._wait()

    def plan_prefill(self, setting: dict[str, Any]) -> dict[str, Any] | None:
        """Return what the target tells aiter's planner of a prefill, or None where it plans none at this head count."""
        chosen, asked = Setting(**setting), list[dict[str, Any]]()
        backend = self._loaded.backend(
            chosen, self._part(None, torch.int32, chosen.rows, chosen.columns), None, multi_step=False
        )
        if getattr(backend, "fp8_prefill_num_head", 1) is None:
            return None
        self._loaded.module.get_ps_metadata_v1 = lambda *_tensors, **named: asked.append(named)
        lengths = torch.tensor([33, 64], dtype=torch.int32)
        starts = torch.tensor([0, 33, 97], dtype=torch.int32)
        empty = torch.empty(0, dtype=torch.int32)
        backend.make_mla_prefill_ps_meta_data(starts, starts, lengths, *[empty] * 6)
        return (
            {name: value for name, value in asked[0].items() if isinstance(value, (int, float, str))} if asked else {}
        )

    def compile_steps(
        self,
        root: str,
        target: list[Any] | None,
        parts: list[list[dict[str, Any]]],
        amd: list[dict[str, Any]],
        architectures: list[str],
    ) -> list[dict[str, Any]]:
        """Note what steps launch, without launching it, and compile that: for the GPU `target`, and for AMD's GPUs."""
        self.load(root, "cpu", None)
        if target is not None:
            self._compile_ahead(target, parts)
        compiler = importlib.import_module("sglang_aiter.child.compile_amd")
        with self._kernels.recorded(launch=False) as calls:
            for step in amd:
                self._note(step)
        launches = {call.launch for call in calls}
        return [vars(each) for arch in architectures for each in compiler.compile_all(launches, arch)]

    def _compile_ahead(self, target: list[Any], parts: list[list[dict[str, Any]]]) -> None:
        ahead = importlib.import_module("sglang_aiter.child.ahead").Ahead(tuple(target))
        self._hashed()  # no other thread may hold a lock where this process is copied
        for part in parts:
            with self._kernels.recorded(launch=False) as calls:
                for step in part:
                    with contextlib.suppress(Exception):  # a case will say what is wrong
                        self._note(step)
            ahead.begin(calls)
        ahead.wait()

    def _note(self, step: dict[str, Any]) -> None:
        """Go through a step whose launches are recorded."""
        mode, graph = step["mode"], step["graph"]
        setting = vars(Setting(**step["setting"]).served)
        said = self.build(setting, None, None, step["multi_step"], None, planned=False, allocate=graph)
        batches = [Batch(tuple(each["rows"]), tuple(each["lengths"])) for each in step["batches"]]
        for size in {each.size for each in batches} if graph else ():
            self._calls.prepare(mode, Batch((0,) * size, (said["fill"],) * size), in_capture=True)
        for requests in batches:
            if graph:
                self._calls.prepare(mode, requests, in_capture=False)
            else:
                self._calls.eager(mode, requests)

    @property
    def _loaded(self) -> Target:
        if self._target is None:
            raise HarnessError("No target was loaded.")
        return self._target

    @property
    def _gpu(self) -> bool:
        return self._loaded.device != "cpu"

    @property
    def _kernels(self) -> Any:
        return sys.modules["sglang_aiter.child.kernels"]

    def _hashed(self) -> None:
        """Wait until Triton's hash is made: a launch would make it once more."""
        if self._hashing is not None:
            self._hashing.join()

    def _record(self, mode: str, rows: list[int], lengths: list[int]) -> list[Any]:
        with self._kernels.recorded() as calls:
            made = self._calls.prepare(mode, Batch(tuple(rows), tuple(lengths)), in_capture=False)
        self._recorded = calls
        return made

    def _part(self, at: list[int] | None, dtype: torch.dtype, *shape: int, planned: bool = False) -> torch.Tensor:
        """Look at a part of the shared memory that the judge filled; without one, make zeros.

        They take no memory: on a CPU until they are written to, and else, or if they are planned, as they are one zero.
        """
        if at is None and not self._gpu and not planned:
            return torch.zeros(shape, dtype=dtype)
        if at is None:
            return torch.zeros([1] * len(shape), dtype=dtype, device=self._loaded.device).expand(shape)
        count = 1
        for length in shape:
            count *= length
        return self._memory[at[0] : at[0] + count * dtype.itemsize].view(dtype).view(shape)

    def _show(self, made: list[Any], key: object) -> list[dict[str, Any]]:
        shown = [
            {
                name: self._exports.show(value, (key, place, name)) if isinstance(value, torch.Tensor) else value
                for name in _FIELDS
                if isinstance(value := getattr(metadata, name, None), (torch.Tensor, int))
            }
            for place, metadata in enumerate(made)
        ]
        self._wait()
        return shown

    def _wait(self) -> None:
        if self._gpu:
            torch.cuda.synchronize(0)  # without a number torch counts the devices each time


def _plan(owner: Any) -> None:
    """Put a backend on torch's meta device, with all it has: what it makes from now on takes no memory."""
    for name, value in vars(owner).items():
        if isinstance(value, torch.Tensor):
            setattr(owner, name, value.to("meta"))
    owner.device = "meta"
