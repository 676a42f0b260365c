"""The judge's side of the backend that drafts: its index rows with canaries around them, and what they should hold."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch
from isolated.errors import HarnessError, TargetFailed
from isolated.memory import SIZE
from sglang_aiter.arena import DTYPES, Spill, Watch, arenas
from sglang_aiter.pool import Pool
from sglang_aiter.setting import Batch, Setting

from sglang_parts.part import Part

ROWS = "cuda_graph_kv_indices"


def server(*, max_bs: int, topk: int, steps: int, context: int, page: int) -> Setting:
    """Make a server that drafts: a row of its pool has room for the drafts of every branch, page by page."""
    row = context + topk * (steps + 2 * page)
    return Setting(max_bs=max_bs, topk=topk, steps=steps, context=context, page=page, row=row)


class Step:
    """What the backend of one draft step was handed."""

    def __init__(self, part: Part, said: dict[str, Any]) -> None:
        self._part, self._said = part, said

    def tensor(self, name: str) -> torch.Tensor:
        """Return a tensor by name: `kv_indptr`, `kv_indices`, or `lent`, the row that it was lent for its graph."""
        said = self._said[name]
        held = self._part.region.view(DTYPES[said["dtype"]], said["start"], said["shape"], said["stride"])
        if held is None:
            raise TargetFailed(f"the child showed {name} outside the shared memory")
        return held.cpu()

    def address(self, name: str) -> tuple[int, list[int]]:
        """Return where a tensor begins, and its shape."""
        return self._said[name]["address"], self._said[name]["shape"]


class Driver:
    """The backend of one server, built, with its graph buffers guarded."""

    def __init__(self, part: Part, setting: Setting) -> None:
        self.part, self.setting = part, setting
        region = part.region
        region.clear()
        self.pool = Pool(setting, region)
        said = part.ask("build", setting=asdict(setting), table=self.pool.table_at)
        room = 4 * setting.topk * setting.max_bs * setting.columns
        buffers, self._arenas = arenas(region, said, room)
        self.rows = next((buffer for buffer in buffers if buffer.name == ROWS), None)
        if self.rows is None or len(self.rows.shape) != 2:
            raise TargetFailed(f"init_cuda_graph_state made no {ROWS} with a row for each step")
        self._watch = Watch(self._arenas.values(), self.pool.held)
        exports = region.place(0)
        if exports is None:
            raise HarnessError(f"{setting} takes more than the {SIZE} bytes that there are.")
        starts = {str(group): arena.start for group, arena in self._arenas.items()}
        part.ask("place", starts=starts, exports=[exports, SIZE])

    def prepare(self, way: str, requests: Batch) -> list[Step]:
        """Prepare the draft steps of a batch; `way` is capture, replay or eager."""
        said = self.part.ask("prepare", way=way, rows=requests.rows, lengths=requests.lengths)
        return [Step(self.part, each) for each in said]

    def spills(self) -> list[Spill]:
        """Return what was written outside of buffers; assert that the pool's table is as it was."""
        if not self._watch.touched():
            return []
        spills = [spill for arena in self._arenas.values() if (spill := arena.spill()).past_end or spill.before_start]
        assert spills or self.pool.unharmed(), "the request pool's table was written to"
        return spills

    def expected(self, requests: Batch, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the starts of all branches and their indices, in a step from 0 on.

        A branch is its request's sequence and as many drafts of its own as steps have begun.
        """
        topk = self.setting.topk
        branches = [
            torch.cat([self.pool.table[row, :length], self._drafts(row, length, branch)[: step + 1]])
            for row, length in zip(requests.rows, requests.lengths, strict=True)
            for branch in range(topk)
        ]
        starts = torch.tensor([0, *(branch.numel() for branch in branches)], dtype=torch.int64).cumsum(0)
        return starts, torch.cat(branches)

    def _drafts(self, row: int, length: int, branch: int) -> torch.Tensor:
        """Return the slots of one branch's drafts.

        They follow each other by branches. With pages of several tokens each branch has pages of its own, the first of
        which is a copy of the sequence's last, unfinished one.
        """
        page, steps = self.setting.page, self.setting.steps or 0
        if page == 1 or self.setting.topk == 1:
            begin = length + branch * steps
        else:
            unfinished = length % page
            pages = -(-(unfinished + steps) // page)
            begin = length - unfinished + branch * pages * page + unfinished
        return self.pool.table[row, begin : begin + steps]
