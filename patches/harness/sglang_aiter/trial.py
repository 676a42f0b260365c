"""One path followed through drawn settings, as a server goes through a day: captured once, replayed on many batches."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from sglang_aiter import expect
from sglang_aiter.draw import Coverage, Path, seed, settings, smallest
from sglang_aiter.drive import Captured, Driver
from sglang_aiter.setting import Batch, Setting, Step
from sglang_aiter.target import Target

_SHORT = 70
"""Tokens of the sequences beside a long one."""
_SHRUNK = 3
"""Failing paths of a run whose setting is made smaller; where the fault is, all paths fail, and each takes a moment."""


class NotThere(Exception):
    """The backend does not have this path."""


@dataclass
class Trials:
    """What one run tries, and what it came to: the coverage, and why attention was not looked at where it was not."""

    target: Target
    coverage: Coverage = field(default_factory=Coverage)
    unseen: dict[str, str] = field(default_factory=dict)
    shrunk: int = 0

    def follow(self, path: Path, figures: expect.Figures, *, full: bool = False) -> None:
        """Try every drawn setting of a path, small ones first; fail with the first that does.

        The first few paths that fail do so with the smallest setting found.

        With `full` a sequence may be as long as the context where drafts are verified. Raises NotThere.
        """
        drawn = self._drawn(path)
        for tried, setting in enumerate(drawn, 1):
            said = self._fails(path, setting, figures, full)
            if said and self.shrunk >= _SHRUNK:
                raise AssertionError(f"{said}; first failing setting, number {tried} of those drawn: {setting}")
            if said:
                self.shrunk += 1
                least, why = smallest(setting, said, lambda made: self._fails(path, made, figures, full))
                raise AssertionError(f"{why}; smallest failing setting of {tried} tried: {least}")

    def steps(self, path: Path) -> list[Step]:
        """Return what a path's drawn settings make a server do, where this backend has the path."""
        if not self.target.supports(path.mode, plain=path.plain):
            return []
        return [_step(path, setting, _sizes(path, setting)) for setting in self._drawn(path)]

    def steps_of(self, path: Path, setting: Setting, sizes: Sequence[int]) -> list[Step]:
        """Return what one setting makes a server do with these batch sizes, where this backend has the path."""
        return [_step(path, setting, sizes)] if self.target.supports(path.mode, plain=path.plain) else []

    def once(self, path: Path, setting: Setting, sizes: Sequence[int], figures: expect.Figures) -> None:
        """Try one setting with these captured batch sizes, and a small one that is captured on real sequences."""
        trial = _Trial(self, path, setting, figures, full=False)
        trial.run(sizes)
        if min(sizes) < setting.max_bs:
            trial.capture(_batches(path, setting, sizes, full=False)[0])

    def _drawn(self, path: Path) -> list[Setting]:
        by_page = not path.multi_step or self.target.drafts_by_page()
        drawn = settings(path, self.target.mla_heads() if path.mla else ())
        return [setting for setting in drawn if by_page or setting.page == 1]

    def _fails(self, path: Path, setting: Setting, figures: expect.Figures, full: bool) -> str:
        try:
            _Trial(self, path, setting, figures, full=full).run(_sizes(path, setting))
        except AssertionError as failure:
            return str(failure).partition("\n")[0]
        return ""


class _Trial:
    def __init__(self, trials: Trials, path: Path, setting: Setting, figures: expect.Figures, *, full: bool) -> None:
        self.trials, self.path, self.setting, self.figures, self.full = trials, path, setting, figures, full

    def run(self, sizes: Sequence[int]) -> None:
        """Capture each batch size, then replay all of them in turns, on sequences that change."""
        self.driver = driver = Driver(self.trials.target, self.setting, multi_step=self.path.multi_step)
        if self.path.unified and not driver.unified:
            raise NotThere("this backend has no unified attention")
        if self.path.window and not driver.window:
            raise NotThere("this backend has no pool of sliding-window layers")
        expect.sound(driver)
        captured = {size: driver.capture(self.path.mode, size) for size in sizes}
        self.trials.coverage.add(self.setting, sizes)
        for requests in _batches(self.path, self.setting, sizes, full=self.full):
            self._replay(captured[requests.size], requests)

    def capture(self, requests: Batch) -> None:
        """Capture on real sequences: what a server runs before a graph reads what is prepared for it, too."""
        (now,) = self.driver.captured(self.path.mode, requests).now()
        expect.indices(
            self.driver, now, requests, [length + self._extra(0, now.kv_indptr is None) for length in requests.lengths]
        )

    def _replay(self, captured: Captured, requests: Batch) -> None:
        replayed = self.driver.replay(self.path.mode, requests, captured)
        for step, (before, now) in enumerate(zip(captured.now(), replayed, strict=True)):
            rows = [length + self._extra(step, before.kv_indptr is None) for length in requests.lengths]
            expect.nothing_outside(self.driver, self.figures, needed=sum(rows))
            expect.indices(self.driver, before, requests, rows)
            expect.query_starts(before, requests.real, self._queries())
            expect.same_addresses(before, now)
        if not self.path.multi_step:
            self._attend(requests.real)  # what kernels read of padded places is not used

    def _attend(self, requests: Batch) -> None:
        """Look at what the attention kernel is given; a release whose attention cannot be driven here is noted."""
        layers, limit = self.driver.attend(self.path.mode)
        if limit:
            self.trials.unseen[str(self.path)] = limit
        for window, attended in layers:
            # Of the others none but unified attention has a table for sliding-window layers.
            if attended.kernel and (not window or attended.kernel == "unified_attention"):
                drafts = self.setting.draft or 0
                whole = attended.kernel == "unified_attention" or self.path.mla
                extra = drafts if self.path.mode == "target_verify" and whole else 0
                rows = [length + extra for length in requests.lengths]
                expect.attention_reads(self.driver, attended, requests, rows, window=window)

    def _queries(self) -> int | None:
        """Count the queries of each request, where that depends on the setting alone."""
        if self.path.multi_step:
            return None
        return {"decode": 1, "target_verify": self.setting.draft}.get(self.path.mode)

    def _extra(self, step: int, unified: bool) -> int:
        """Count the draft tokens that a row holds besides its sequence."""
        if self.path.multi_step:
            return step + 1
        return (self.setting.draft or 0) if self.path.mode == "target_verify" and (self.path.mla or unified) else 0


def _sizes(path: Path, setting: Setting) -> list[int]:
    """Draw which batch sizes are captured, the largest first."""
    chance = random.Random(f"{seed()} {path} {setting}")  # noqa: S311 - to be made again, not to be unknown
    return sorted({setting.max_bs, chance.randint(1, min(3, setting.max_bs))}, reverse=True)


def _step(path: Path, setting: Setting, sizes: Sequence[int]) -> Step:
    return Step(path.mode, setting, tuple(_batches(path, setting, sizes, full=False)), path.multi_step)


def _batches(path: Path, setting: Setting, sizes: Sequence[int], *, full: bool) -> list[Batch]:
    """Draw what is replayed: each size, and at last the smallest again."""
    chance = random.Random(f"{seed()} {path} {setting} batches")  # noqa: S311 - to be made again
    room = (setting.steps or 0) if path.multi_step else (setting.draft or 0) if path.mode == "target_verify" else 0
    limit = setting.context - (0 if full else room)
    return [_batch(setting, size, limit, chance) for size in (*sizes, min(sizes))]


def _batch(setting: Setting, size: int, limit: int, chance: random.Random) -> Batch:
    """Draw requests from the whole pool: the largest batch at the limit, a smaller one with one sequence there.

    Past the pool come padding rows, which point at row 0 and hold one token.
    """
    pool = setting.pool or setting.max_bs
    real = min(size, pool)
    rows = chance.sample(range(1, pool + 1), real)
    lengths = [chance.randint(1, max(1, min(limit, _SHORT))) for _ in range(real)]
    lengths[chance.randrange(real)] = limit
    if size == setting.max_bs:
        lengths = [limit] * real
    return Batch((*rows, *[0] * (size - real)), (*lengths, *[1] * (size - real)))
