"""One server configuration, and the requests that run in it. Plain values that judge and child agree on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

EXTRA_COLUMNS = 4
"""Columns that the server adds to each request's row of token slots, besides the draft tokens."""
HEAD_DIM = 128


@dataclass(frozen=True)
class Setting:
    """One server configuration. `draft` is None without speculative decoding; `pool` is the largest running batch.

    `row` is the length of the token pool's rows where it is not what the server makes of the context. `window` gives
    some layers a sliding window, with a pool of its own. `cache` is the dtype of the KV cache: the model's own, or fp8.
    """

    max_bs: int = 4
    context: int = 64
    page: int = 16
    draft: int | None = None
    steps: int | None = None
    topk: int = 1
    mla: bool = False
    unified: bool = False
    window: bool = False
    pool: int | None = None
    row: int | None = None
    dtype: str = "bfloat16"
    cache: str = "model"
    heads: int = 16
    kv_heads: int = 16

    @property
    def blocks(self) -> int:
        """Pages of one sequence at full context."""
        return -(-self.context // self.page)

    @property
    def rows(self) -> int:
        """Rows of the token pool. Row 0 is what padding points at."""
        return (self.pool or self.max_bs) + 1

    @property
    def columns(self) -> int:
        """Token slots of one row of the pool."""
        return self.row or self.context + EXTRA_COLUMNS + (self.draft or 0) + (self.steps or 0)

    @property
    def slots(self) -> int:
        """Token slots of the KV cache, whole pages."""
        return (self.rows * -(-self.columns // self.page) + 1) * self.page

    @property
    def served(self) -> Setting:
        """This setting with rows of the pool as long as the next power of two, where it does not say how long.

        On a GPU a kernel is compiled for each length.
        """
        return self if self.row else replace(self, row=1 << (self.columns - 1).bit_length())

    def __str__(self) -> str:
        plain = Setting()
        said = [name for name in ("mla", "unified", "window") if getattr(self, name)]
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name == "row":
                continue
            if each.name in ("page", "context", "max_bs") or (value != getattr(plain, each.name) and value is not True):
                said.append(f"{each.name} {value}")
        return ", ".join(said)


@dataclass(frozen=True)
class Batch:
    """Requests by their row in the token pool, with the length of each sequence."""

    rows: tuple[int, ...]
    lengths: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of requests."""
        return len(self.rows)

    @property
    def real(self) -> Batch:
        """The batch without the padding at its end, which points at row 0."""
        size = sum(row > 0 for row in self.rows)
        return Batch(self.rows[:size], self.lengths[:size])

    def __str__(self) -> str:
        return f"lengths {', '.join(map(str, self.lengths[:8]))}{', …' if self.size > 8 else ''}"


@dataclass(frozen=True)
class Step:
    """Batches that a server of one setting prepares: as replays of a graph, or without one.

    With a graph, each batch size is captured before; `multi_step` is the backend that drafts several tokens.
    """

    mode: str
    setting: Setting
    batches: tuple[Batch, ...]
    multi_step: bool = False
    graph: bool = True


def batch(lengths: Sequence[int]) -> Batch:
    """Take rows in falling order, so that row and place in the batch differ. Row 0 is what padding points at."""
    return Batch(tuple(range(len(lengths), 0, -1)), tuple(lengths))
