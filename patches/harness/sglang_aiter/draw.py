"""Which server settings a suite tries: every value of every parameter at least once a path, combined by a seed.

The seed comes from the target's own text, so it is fixed for a commit and another one for the next. A setting that
fails is made smaller, one parameter after the other, for as long as it goes on failing.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sglang_aiter.setting import Setting
from sglang_aiter.tree import Tree

SEED = "SUITE_SEED"
BACKEND = "sglang.srt.layers.attention.aiter_backend"
PAGES = (16, 1, 2, 3, 4, 8, 32, 64, 128, 256)
"""All powers of two that page sizes have, and an odd one; the plainest first, as in every list here."""
BLOCKS = (4, 1, 2, 7, 63, 65, 130)
"""Pages of a sequence at full context."""
BATCHES = (2, 1, 3, 4, 1, 2, 5, 8, 1, 17)
POOLS = (1, 2, 4, 24)
"""Requests that the pool holds, in largest batches."""
DRAFTS = (4, 2, 3, 8, 9, 16, 33, 64)
DTYPES = ("bfloat16", "float16")
CACHES = ("model", "fp8")
HEADS = ((16, 16), (16, 1), (8, 2), (5, 5))
"""Heads of queries, and of keys and values."""
_TOKENS = 2200
"""Tokens of a sequence at full context: what the interpreter does in a moment."""
FEW_PAGES, _DRAFTED = (16, 1, 3, 256), 3
"""Page sizes where a GPU's kernel is compiled for each server, and the largest batch of several drafted tokens."""
LONG = (1, 1030), (2, 1030), (4, 1100)
"""Page size and pages of sequences past 1,024 pages, where a kernel needs more than one block."""


@dataclass(frozen=True)
class Path:
    """One way through the backend; `without` names page sizes that are a case of their own."""

    mode: str
    mla: bool = False
    unified: bool = False
    window: bool = False
    steps: int | None = None
    without: tuple[int, ...] = ()

    @property
    def speculative(self) -> bool:
        """Whether drafts are made, verified or taken over."""
        return self.mode != "decode" or self.multi_step

    @property
    def multi_step(self) -> bool:
        """Whether it is the backend that drafts several tokens, one step each."""
        return self.mode == "decode" and self.steps is not None

    @property
    def plain(self) -> bool:
        """Whether it is neither MLA nor unified attention."""
        return not self.mla and not self.unified

    def __str__(self) -> str:
        marks = [name for name in ("mla", "unified", "window") if getattr(self, name)]
        return "-".join(["multi_step_draft" if self.multi_step else self.mode, *marks])


def seed() -> str:
    """Return what the settings are drawn from."""
    return os.environ.get(SEED) or _seed_of(Tree.from_environment())


@cache
def _seed_of(tree: Tree) -> str:
    file = tree.find(BACKEND)
    return hashlib.sha256(file.read_bytes() if file and file.is_file() else b"").hexdigest()[:12]


def settings(path: Path, mla_heads: Sequence[int]) -> list[Setting]:
    """Draw a path's settings, small ones first. Every value of every parameter is in one of them at least.

    What a kernel is compiled for comes out alike for every path, so that on a GPU it is compiled once.
    """
    compiled = random.Random(f"{seed()} {path.multi_step}")  # noqa: S311 - to be made again, not to be unknown
    chance = random.Random(f"{seed()} {path}")  # noqa: S311
    heads = [(count, 1) for count in mla_heads] if path.mla else list(HEADS)
    columns: dict[str, list[Any]] = {
        "blocks": _cycled(BLOCKS, compiled),
        "draft": _cycled(DRAFTS, compiled),
        "ragged": _cycled((0, 1), compiled),
        "max_bs": _cycled(BATCHES, compiled if path.multi_step else chance),
        "pool": _cycled(POOLS, compiled if path.multi_step else chance),
        "dtype": _cycled(DTYPES, chance),
        "cache": _cycled(CACHES, chance),
        "heads": _cycled(heads, chance),
    }
    page, blocks = compiled.choice([each for each in LONG if each[0] not in path.without])
    rows = [{name: values[place] for name, values in columns.items()} for place in range(len(PAGES))]
    pages = FEW_PAGES if path.multi_step or (path.window and path.speculative) else PAGES
    drawn = [_setting(path, each, row) for each, row in zip(PAGES, rows, strict=True) if each in pages]
    drawn = [each for each in drawn if each.page not in path.without]
    long = replace(drawn[0], page=page, context=page * blocks - (page - 1), max_bs=2, pool=3)
    return sorted([*drawn, _roomy(long)], key=lambda each: each.context * each.max_bs)


def smallest(setting: Setting, said: str, fails: Callable[[Setting], str]) -> tuple[Setting, str]:
    """Return the smallest setting found that still fails, and how; `fails` says nothing of one that does not."""
    for simplify in _SIMPLER:
        made = _roomy(simplify(setting))
        now = fails(made) if made != setting else ""
        if now:
            setting, said = made, now
    return setting, said


def _small_batch(setting: Setting) -> Setting:
    return replace(setting, max_bs=min(2, setting.max_bs), pool=min(2, setting.max_bs))


def _few_drafts(setting: Setting) -> Setting:
    return replace(setting, draft=min(4, setting.draft), steps=min(3, setting.steps or 3)) if setting.draft else setting


def _plain_model(setting: Setting) -> Setting:
    heads = {} if setting.mla else {"heads": 16, "kv_heads": 16}
    return replace(setting, dtype="bfloat16", cache="model", **heads)


_SIMPLER: tuple[Callable[[Setting], Setting], ...] = (
    _plain_model,
    _small_batch,
    lambda setting: replace(setting, context=min(setting.context, 4 * setting.page)),
    _few_drafts,
    lambda setting: replace(setting, page=16, context=64) if setting.page > 16 else setting,
)


class Coverage:
    """What was tried, for the report: the values of each parameter; those that differ by the seed are called drawn."""

    def __init__(self) -> None:
        self._values: dict[str, set[Any]] = {}
        self._tried = 0

    def add(self, setting: Setting, sizes: Sequence[int]) -> None:
        """Count one setting, with the batch sizes that were captured for it."""
        self._tried += 1
        values: Mapping[str, set[Any]] = {
            "page size": {setting.page},
            "largest batch": {setting.max_bs},
            "draft tokens": {setting.draft or 0},
            "model dtype": {setting.dtype},
            "cache dtype": {setting.cache},
            "heads of queries and keys": {f"{setting.heads}/{1 if setting.mla else setting.kv_heads}"},
            "sliding window": {"yes" if setting.window else "no"},
            "pool in largest batches": {-(-(setting.pool or setting.max_bs) // setting.max_bs)},
            "drawn batch sizes": set(sizes),
            "drawn pages of a sequence": {setting.blocks},
        }
        for name, tried in values.items():
            self._values.setdefault(name, set()).update(tried)

    def properties(self) -> dict[str, str]:
        """Return the report's properties."""
        if not self._tried:
            return {}
        listed = {name: ", ".join(map(str, sorted(values, key=_order))) for name, values in self._values.items()}
        listed |= {"drawn settings": str(self._tried), "drawn from": seed()}
        return {f"covered.{name}": value for name, value in listed.items()}


def _order(value: Any) -> tuple[int, str]:
    return (value, "") if isinstance(value, int) else (0, str(value))


def _setting(path: Path, page: int, drawn: Mapping[str, Any]) -> Setting:
    draft = drawn["draft"] if path.speculative else None
    blocks = max(1, min(drawn["blocks"], _TOKENS // page))
    context = blocks * page - (page // 2 if drawn["ragged"] and page > 1 else 0)
    heads, kv_heads = drawn["heads"]
    max_bs = min(drawn["max_bs"], _DRAFTED) if path.multi_step else drawn["max_bs"]
    return _roomy(
        Setting(
            max_bs=max_bs,
            pool=max_bs * drawn["pool"],
            page=page,
            context=context,
            draft=draft,
            steps=path.steps or (draft - 1 if draft else None),
            mla=path.mla,
            unified=path.unified,
            window=path.window,
            dtype=drawn["dtype"],
            cache=drawn["cache"],
            heads=heads,
            kv_heads=kv_heads,
        )
    )


def _roomy(setting: Setting) -> Setting:
    """Make the context hold a sequence, the placeholder that is captured, and the drafts of each."""
    return replace(setting, context=max(setting.context, 2 * (setting.draft or 0) + (setting.steps or 0) + 3))


def _cycled(values: Sequence[Any], chance: random.Random) -> list[Any]:
    listed = [values[place % len(values)] for place in range(len(PAGES))]
    chance.shuffle(listed)
    return listed
