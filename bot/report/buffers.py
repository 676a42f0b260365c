"""What a verdict's cases measured of buffers: what was written inside each and past its end, base against candidate.

Owns the reading of the figures `buffer`, `numel`, `needed` and `past_end`, all in elements, and bars of characters for
places that show no picture. Cases without these figures are left out, and so are known failures: theirs is another
fault.
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
        """How far anything reaches: the buffer, or what is written beyond it."""
        return max(self.numel, self.needed, self.numel + self.past_end)

    @property
    def inside(self) -> int:
        """How much of the buffer is written."""
        return max(0, min(self.numel, self.numel if self.past_end else self.needed))


def worst_first(verdict: Verdict) -> list[tuple[str, Bar, Bar]]:
    """Return each measured case with its bar on base and candidate, by how far the base went past the end."""
    return sorted(_pairs(verdict), key=lambda pair: (-pair[1].past_end / max(1, pair[1].numel), pair[0]))


def short_name(case: str) -> str:
    """Return the parameters of a case, which tell it from the others of its test, or else its name, cut to its end."""
    parameters = case[case.index("[") + 1 : -1] if case.endswith("]") and "[" in case else case
    return parameters if len(parameters) <= LONGEST_NAME else f"…{parameters[1 - LONGEST_NAME :]}"


def render_bars(verdict: Verdict, *, most: int = 4) -> str:
    """Draw the worst case of each buffer in characters, at most `most`; empty where nothing went past an end."""
    worst: dict[str, tuple[str, Bar, Bar]] = {}
    for name, base, candidate in worst_first(verdict):
        if base.past_end or candidate.past_end:
            worst.setdefault(base.buffer, (name, base, candidate))
    if not worst:
        return ""
    drawn = [line for pair in list(worst.values())[:most] for line in _drawn(*pair)]
    return "\n".join([*drawn, _LEGEND])


def _drawn(name: str, base: Bar, candidate: Bar) -> Iterator[str]:
    extent = max(1, base.extent, candidate.extent)
    yield f"{visible(base.buffer)}, worst in {visible(short_name(name))}"
    for run, bar in (("before", base), ("after", candidate)):
        past = _cells(bar.past_end, extent)
        buffer = min(_cells(bar.numel, extent), WIDTH - past)
        inside = min(_cells(bar.inside, extent), buffer)
        cells = "█" * inside + "·" * (buffer - inside) + "░" * past
        said = count(bar.past_end, "element") if bar.past_end else "none"
        yield f"  {run:<6} {cells:<{WIDTH}}  {said} past the end of {bar.numel:,}"


def _cells(elements: int, extent: int) -> int:
    """Return how many characters a length takes; what is there at all takes at least one."""
    return 0 if not elements else max(1, round(elements * WIDTH / extent))


def _pairs(verdict: Verdict) -> Iterator[tuple[str, Bar, Bar]]:
    after = {case.name: _bar(case) for case in verdict.candidate.cases}
    declared = {known.case for known in verdict.known_failures}
    for case in (case for case in verdict.base.cases if case.name not in declared):
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
    numel, needed, past_end = map(int, numbers)
    return Bar(figures["buffer"], numel, needed, past_end)
