"""One backend with guarded buffers, captured and replayed as a server does it; seen from the judge.

Owns the token pool and what the target is asked. What comes back are views of the shared memory: they show what lies
there now. Judges nothing.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch
from isolated.errors import HarnessError, TargetFailed
from isolated.memory import SIZE, Region

from sglang_aiter.arena import DTYPES, Arena, Buffer, Spill, Watch, arenas
from sglang_aiter.pool import Pool
from sglang_aiter.setting import Batch, Setting
from sglang_aiter.target import Target, unplaced


class Metadata:
    """What a backend left for its attention kernel: views of the shared memory, and numbers. Missing ones are None."""

    def __init__(self, region: Region, said: dict[str, Any]) -> None:
        self._said = said
        self.kv_indptr, self.kv_indices = _view(region, said, "kv_indptr"), _view(region, said, "kv_indices")
        self.qo_indptr, self.swa_page_table = _view(region, said, "qo_indptr"), _view(region, said, "swa_page_table")
        self.kv_last_page_len = _view(region, said, "kv_last_page_len")
        self.max_q_len, self.max_kv_len = _number(said, "max_q_len"), _number(said, "max_kv_len")

    @property
    def unified(self) -> bool:
        """Whether this is for unified attention, which reads a page table."""
        return self.kv_indices is not None and self.kv_indices.dim() == 2

    def same_memory(self, other: Metadata, name: str) -> bool:
        """Whether a field lies where it lies in other metadata, with the same strides."""
        mine, others = self._said.get(name), other._said.get(name)
        if not isinstance(mine, dict) or not isinstance(others, dict):
            return mine is others
        return bool(mine["address"] == others["address"] and mine["stride"] == others["stride"])

    def start(self, name: str) -> int | None:
        """Return where in the shared memory a field begins; None where it is only a copy."""
        said = self._said.get(name)
        return int(said["start"]) if isinstance(said, dict) and said["own"] else None


class Captured:
    """What a captured graph goes on reading; `now` shows it as it is."""

    def __init__(self, driver: Driver, held: int, said: list[dict[str, Any]]) -> None:
        self._driver, self.held, self._said = driver, held, said
        tensors = (value for each in said for value in each.values() if isinstance(value, dict))
        self._shared = all(value["own"] for value in tensors)
        self._asked = False

    @property
    def to_ask(self) -> int | None:
        """The number to ask for it by; None where all of it lies in the shared memory."""
        return None if self._shared else self.held

    def said(self, answer: list[dict[str, Any]] | None) -> None:
        """Take what came with a replay's answer."""
        if answer is not None:
            self._said, self._asked = answer, True

    def now(self) -> list[Metadata]:
        """Look at it. Only what lies outside the shared memory has to be asked for, unless it has just come."""
        if not self._shared and not self._asked:
            self._said = self._driver.target.ask("again", held=self.held)
        self._asked = False
        return [Metadata(self._driver.region, each) for each in self._said]


class Driver:
    """A backend of the target for one setting, its graph state allocated and guarded."""

    def __init__(
        self, target: Target, setting: Setting, *, multi_step: bool = False, lend: bool = False, graph: bool = True
    ) -> None:
        """Allocate as the server does; with `lend` the backend gets its token buffer from outside.

        Without `graph` it allocates nothing.
        """
        setting = setting.served
        self.target, self.setting, self.has_graph = target, setting, graph
        self.region = region = target.revived()
        region.clear()
        self.pool = Pool(setting, region)
        lent = setting.max_bs * (setting.blocks * setting.page + (setting.draft or 0)) if lend else 0
        given = unplaced(setting) | {
            "table": [self.pool.table_at],
            "mapping": [self.pool.mapping_at],
            "multi_step": multi_step,
            "lend": [self._placed(4 * lent), lent] if lend else None,
        }
        self._built = target.ask("build", **given, allocate=graph)
        self.buffers, self._arenas = arenas(region, self._built["buffers"], self._room())
        empty = [buffer.name for buffer in self.buffers if buffer.numel == 0 and buffer.name.startswith("cuda_graph_")]
        assert not empty, f"{', '.join(empty)} have no elements"
        self._watch = Watch(self._arenas.values(), self.pool.held)
        exports = self._placed(0)
        starts = {str(group): arena.start for group, arena in self._arenas.items()}
        target.ask("place", starts=starts, exports=[exports, SIZE])

    @property
    def unified(self) -> bool:
        """Whether the backend has unified attention switched on."""
        return bool(self._built["unified"])

    @property
    def unified_verify(self) -> bool:
        """Whether the backend verifies drafts through unified attention."""
        return bool(self._built["unified_verify"])

    @property
    def window(self) -> bool:
        """Whether the backend has taken the pool of sliding-window layers for one."""
        return bool(self._built["window"])

    def buffer(self, name: str, owner: int = 0) -> Buffer:
        """Return a buffer by the name of its attribute."""
        for buffer in self.buffers:
            if (buffer.name, buffer.owner) == (name, owner):
                return buffer
        raise TargetFailed(f"init_cuda_graph_state made no {name}")

    def span(self, buffer: Buffer) -> tuple[int, int]:
        """Return where a buffer begins and ends in the shared memory."""
        start = self._arenas[buffer.group].start + buffer.offset
        last = sum((length - 1) * step for length, step in zip(buffer.shape, buffer.stride, strict=True))
        return start, start + (last + 1) * buffer.dtype.itemsize

    def spills(self) -> list[Spill]:
        """Say what was written around every buffer so far, and assert that the pool's table is as it was."""
        held = list(self._arenas.values())
        if not self._watch.touched():
            return [arena.clean() for arena in held]
        spills = [arena.spill() for arena in held]
        written = any(spill.past_end or spill.before_start for spill in spills)
        assert written or self.pool.unharmed(), "the request pool's table was written to"
        return spills

    def capture(self, mode: str, size: int) -> Captured:
        """Capture a batch size as the server does, on placeholder sequences; return what the graph goes on reading."""
        fill = int(self._built["fill"])
        return self.captured(mode, Batch((0,) * size, (fill,) * size))

    def captured(self, mode: str, requests: Batch) -> Captured:
        """Capture on a batch."""
        answer = self._prepare(mode, requests, in_capture=True)
        return Captured(self, int(answer["held"]), answer["metadata"])

    def replay(self, mode: str, requests: Batch, captured: Captured | None = None) -> list[Metadata]:
        """Prepare a replay on real sequences; return each inner backend's metadata.

        Of `captured` comes along what it is after the replay.
        """
        answer = self._prepare(mode, requests, in_capture=False, again=captured.to_ask if captured else None)
        if captured:
            captured.said(answer["again"])
        return [Metadata(self.region, each) for each in answer["metadata"]]

    def eager(self, mode: str, requests: Batch) -> list[Metadata]:
        """Prepare a step without a graph."""
        answer = self.target.ask("eager", mode=mode, rows=requests.rows, lengths=requests.lengths)
        return [Metadata(self.region, each) for each in answer]

    def attend(self, mode: str) -> tuple[list[tuple[bool, Attended]], str]:
        """Run the attention of what was prepared last, up to its kernel, for layers without a window and with one.

        Return what each kernel was given, and what limit of the harness ended this, if one did.
        """
        windows = sorted({False, self.window})
        answers = self.target.ask("attend", mode=mode, windows=windows)
        limit = str(answers.pop()["limit"]) if "limit" in answers[-1] else ""
        return [(window, self._attended(answer)) for window, answer in zip(windows, answers, strict=False)], limit

    def reading_graph(self, captured: Captured) -> tuple[int, list[Metadata]]:
        """Capture a graph that reads what was captured; return its number and what it has read after a replay."""
        answer = self.target.ask("read_by_graph", held=captured.held)
        return answer["graph"], [Metadata(self.region, each) for each in answer["metadata"]]

    def _prepare(self, mode: str, requests: Batch, *, in_capture: bool, again: int | None = None) -> Any:
        given = {"mode": mode, "rows": requests.rows, "lengths": requests.lengths, "again": again}
        return self.target.ask("prepare", **given, in_capture=in_capture, hold=in_capture)

    def _attended(self, answer: dict[str, Any]) -> Attended:
        tensors = {name: _view(self.region, answer["tensors"], name) for name in answer["tensors"]}
        return Attended(answer["kernel"], tensors, answer["numbers"])

    def _placed(self, size: int) -> int:
        start = self.region.place(size)
        if start is None:
            raise HarnessError(f"{self.setting} takes more than the {SIZE} bytes that there are.")
        return start

    def _room(self) -> int:
        """Bytes behind a buffer that hold whatever any path could write past its end."""
        setting = self.setting
        row = setting.context + setting.page + 2 * ((setting.draft or 0) + (setting.steps or 0)) + 64
        return 8 * (setting.max_bs + 1) * row * setting.topk


class Attended:
    """What an attention kernel was given: its index tensors by name, and its numbers."""

    def __init__(self, kernel: str, tensors: dict[str, torch.Tensor | None], numbers: dict[str, Any]) -> None:
        self.kernel, self._tensors, self._numbers = kernel, tensors, numbers

    def tensor(self, name: str) -> torch.Tensor:
        """Return an index tensor."""
        held = self._tensors.get(name)
        assert held is not None, f"{self.kernel or 'no attention kernel'} was given no {name}"
        return held

    def number(self, name: str) -> int:
        """Return a number."""
        value = self._numbers.get(name)
        assert isinstance(value, int), f"{self.kernel or 'no attention kernel'} was given no {name}"
        return value


def plan(target: Target, setting: Setting, *, multi_step: bool = False) -> list[Buffer]:
    """Let a backend allocate its graph state without taking memory; return what it made, on torch's meta device."""
    given = unplaced(setting) | {"planned": True, "multi_step": multi_step}
    return [Buffer.read(each) for each in target.ask("build", **given, allocate=True)["buffers"]]


def request(setting: Setting) -> dict[str, Any]:
    """Return a setting as plain data."""
    return asdict(setting)


def _view(region: Region, said: dict[str, Any], name: str) -> torch.Tensor | None:
    place = said.get(name)
    if not isinstance(place, dict):
        return None
    held = region.view(DTYPES[place["dtype"]], place["start"], place["shape"], place["stride"])
    if held is None:
        raise TargetFailed(f"the child showed {name} outside the shared memory")
    return held


def _number(said: dict[str, Any], name: str) -> int | None:
    value = said.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


__all__ = ["Arena", "Attended", "Captured", "Driver", "Metadata", "plan", "request"]
