"""Reads what the cases of a verdict measured of buffers, and draws it as bars of characters.

The figures are `buffer`, `numel`, `needed` and `past_end`, in elements: what was written inside a buffer and past its
end, in the base run and in the candidate run. The bars are for places that show no picture. Cases without these figures
are left out. So are known failures, because their fault is another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.models import CaseResult, Verdict
from bot.text.markdown import count, visible

WIDTH = 40
"""Characters of a bar."""
LONGEST_NAME = 52
_LEGEND = "█ written inside the buffer   ░ written past its end   · left over in it"


@dataclass(frozen=True, slots=True)
class Bar:
    """One buffer of one run, in elements."""

    buffer: str
    numel: int
    needed: int
    past_end: int

    @property
    def extent(self) -> int:
        """The elements from the buffer's start to its end, or to the last one written past it."""
        return max(self.numel, self.needed, self.numel + self.past_end)

    @property
    def inside(self) -> int:
        """The elements that are written inside the buffer."""
        return max(0, min(self.numel, self.numel if self.past_end else self.needed))


def worst_first(verdict: Verdict) -> list[tuple[str, Bar, Bar]]:
    """Return each measured case with its bars of base and candidate, sorted by how far the base went past the end."""
    return sorted(_pairs(verdict), key=lambda pair: (-pair[1].past_end / max(1, pair[1].numel), pair[0]))


def short_name(case: str) -> str:
    """Return the parameters of a case, or its name if it has none; too long a text loses its beginning."""
    parameters = case[case.index("[") + 1 : -1] if case.endswith("]") and "[" in case else case
    return parameters if len(parameters) <= LONGEST_NAME else f"…{parameters[1 - LONGEST_NAME :]}"


def render_bars(verdict: Verdict, *, limit: int = 4) -> str:
    """Draw the worst case of each buffer in characters, of at most `limit` buffers; empty if none was overrun."""
    worst: dict[str, tuple[str, Bar, Bar]] = {}
    for name, base, candidate in worst_first(verdict):
        if base.past_end or candidate.past_end:
            worst.setdefault(base.buffer, (name, base, candidate))
    if not worst:
        return ""
    lines = [line for pair in list(worst.values())[:limit] for line in _bar_lines(*pair)]
    return "\n".join([*lines, _LEGEND])


def _bar_lines(name: str, base: Bar, candidate: Bar) -> Iterator[str]:
    extent = max(1, base.extent, candidate.extent)
    yield f"{visible(base.buffer)}, worst in {visible(short_name(name))}"
    for run, bar in (("before", base), ("after", candidate)):
        past = _cells(bar.past_end, extent)
        buffer = min(_cells(bar.numel, extent), WIDTH - past)
        inside = min(_cells(bar.inside, extent), buffer)
        cells = "█" * inside + "·" * (buffer - inside) + "░" * past
        overrun = count(bar.past_end, "element") if bar.past_end else "none"
        yield f"  {run:<6} {cells:<{WIDTH}}  {overrun} past the end of {bar.numel:,}"


def _cells(elements: int, extent: int) -> int:
    """Return how many characters a length takes: at least one, unless it is zero."""
    return 0 if not elements else max(1, round(elements * WIDTH / extent))


def _pairs(verdict: Verdict) -> Iterator[tuple[str, Bar, Bar]]:
    after = {case.name: _bar(case) for case in verdict.candidate.cases}
    known_names = {failure.case for failure in verdict.known_failures}
    for case in (case for case in verdict.base.cases if case.name not in known_names):
        base, candidate = _bar(case), after.get(case.name)
        if base and candidate:
            yield case.name, base, candidate


def _bar(case: CaseResult) -> Bar | None:
    figures = case.figures
    if not {"buffer", "numel", "needed", "past_end"} <= figures.keys():
        return None
    numbers = [figures[name] for name in ("numel", "needed", "past_end")]
    if not all(number.isascii() and number.isdecimal() and len(number) < 20 for number in numbers):
        return None
    numel, needed_size, past_end = map(int, numbers)
    return Bar(figures["buffer"], numel, needed_size, past_end)
