"""A verdict's buffers as a picture: what was written inside each and past its end, base against candidate.

A pure function from a verdict to an SVG document. It draws what cases recorded as the figures `buffer`, `numel`,
`needed` and `past_end`, all in elements. Cases without them are not drawn, nor are known failures: theirs is another
fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from bot.model import CaseResult, Verdict

WIDTH, LABEL, BAR, GAP = 960, 330, 14, 26
ROW = 2 * BAR + GAP
TOP = 64
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1f2328}.small{font-size:11px;fill:#59636e}"
    ".buffer{fill:#eef1f4;stroke:#59636e}.inside{fill:#0969da}.outside{fill:#d1242f}"
)


@dataclass(frozen=True, slots=True)
class _Bar:
    """One buffer of one run, in elements."""

    buffer: str
    numel: int
    needed: int
    past_end: int

    @property
    def extent(self) -> int:
        return max(self.numel, self.needed, self.numel + self.past_end)


def render_buffers(verdict: Verdict, *, most: int = 12) -> str:
    """Draw the cases that wrote furthest past an end on the base, at most `most`; nothing drawn is an empty string."""
    pairs = sorted(_pairs(verdict), key=lambda pair: (-pair[1].past_end / max(1, pair[1].numel), pair[0]))[:most]
    if not pairs:
        return ""
    height = TOP + len(pairs) * ROW
    summary, device = _summary(pairs), verdict.base.device or "an unnamed device"
    legend = "Upper bar: base. Lower bar: candidate. Outline: the buffer. Blue: written inside. Red: past its end."
    rows = [part for place, pair in enumerate(pairs) for part in _row(TOP + place * ROW, *pair)]
    root = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
    head = [
        f'{root} aria-label="{escape(summary)}">',
        f"<style>{STYLE}</style>",
        f'<text x="0" y="16">{escape(summary)}</text>',
        f'<text class="small" x="0" y="36">{escape(f"On {device}. {legend}")}</text>',
    ]
    return "\n".join([*head, *rows, "</svg>"]) + "\n"


def _pairs(verdict: Verdict) -> Iterator[tuple[str, _Bar, _Bar]]:
    after = {case.name: _bar(case) for case in verdict.candidate.cases}
    declared = {known.case for known in verdict.known_failures}
    for case in (case for case in verdict.base.cases if case.name not in declared):
        base, candidate = _bar(case), after.get(case.name)
        if base and candidate:
            yield case.name, base, candidate


def _bar(case: CaseResult) -> _Bar | None:
    figures = case.figures
    if not {"buffer", "numel", "needed", "past_end"} <= figures.keys():
        return None
    numbers = [figures[name] for name in ("numel", "needed", "past_end")]
    if not all(number.isdecimal() for number in numbers):
        return None
    numel, needed, past_end = map(int, numbers)
    return _Bar(figures["buffer"], numel, needed, past_end)


def _summary(pairs: Sequence[tuple[str, _Bar, _Bar]]) -> str:
    worst, left = pairs[0][1], max(candidate.past_end for _, _, candidate in pairs)
    return (
        f"Base: up to {worst.past_end:,} elements past the end of {worst.buffer} ({worst.numel:,} elements). "
        f"Candidate: {left:,}."
    )


def _row(top: int, name: str, base: _Bar, candidate: _Bar) -> Iterator[str]:
    case = name[name.index("[") + 1 : -1] if name.endswith("]") and "[" in name else name
    shown = case if len(case) <= 52 else f"…{case[-51:]}"
    scale = (WIDTH - LABEL - 8) / max(1, base.extent, candidate.extent)
    yield f'<text x="0" y="{top + BAR}">{escape(shown)}<title>{escape(name)}</title></text>'
    counts = f"{base.past_end:,} → {candidate.past_end:,} of {base.needed:,} outside"
    yield f'<text class="small" x="0" y="{top + 2 * BAR + 2}">{escape(counts)}</text>'
    yield from _drawn(top, scale, base)
    yield from _drawn(top + BAR + 3, scale, candidate)


def _drawn(top: int, scale: float, bar: _Bar) -> Iterator[str]:
    inside = max(0, min(bar.numel, bar.needed if not bar.past_end else bar.numel))
    for style, start, length in (
        ("buffer", 0, bar.numel),
        ("inside", 0, inside),
        ("outside", bar.numel, bar.past_end),
    ):
        if length:
            x, width = LABEL + start * scale, max(1.0, length * scale)
            yield f'<rect class="{style}" x="{x:.1f}" y="{top}" width="{width:.1f}" height="{BAR}"/>'
