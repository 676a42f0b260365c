"""Draws a verdict's buffers: the elements written inside each and past its end, on base and candidate.

`bot.report.buffers` chooses the cases; this module only draws them, as SVG.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from bot.models import Verdict
from bot.report.buffers import Bar, short_name, worst_first

WIDTH, LABEL, BAR, GAP = 960, 330, 14, 26
ROW = 2 * BAR + GAP
TOP = 64
STYLE = (
    ":root{color-scheme:light dark}text{font:12px system-ui,sans-serif;fill:#1f2328}.small{font-size:11px;fill:#59636e}"
    ".buffer{fill:#eef1f4;stroke:#59636e}.inside{fill:#0969da}.outside{fill:#d1242f}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9198a1}.buffer{fill:#21262d;stroke:#9198a1}}"
)


def render_buffers(verdict: Verdict, *, limit: int = 12) -> str:
    """Draw the cases that wrote furthest past an end on the base, at most `limit`; return an empty string for none."""
    pairs = worst_first(verdict)[:limit]
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


def _summary(pairs: Sequence[tuple[str, Bar, Bar]]) -> str:
    worst, remainder = pairs[0][1], max(candidate.past_end for _, _, candidate in pairs)
    return (
        f"Base: up to {worst.past_end:,} elements past the end of {worst.buffer} ({worst.numel:,} elements). "
        f"Candidate: {remainder:,}."
    )


def _row(top: int, name: str, base: Bar, candidate: Bar) -> Iterator[str]:
    label = short_name(name)
    scale = (WIDTH - LABEL - 8) / max(1, base.extent, candidate.extent)
    yield f'<text x="0" y="{top + BAR}">{escape(label)}<title>{escape(name)}</title></text>'
    counts = f"{base.past_end:,} → {candidate.past_end:,} of {base.needed:,} outside"
    yield f'<text class="small" x="0" y="{top + 2 * BAR + 2}">{escape(counts)}</text>'
    yield from _rectangles(top, scale, base)
    yield from _rectangles(top + BAR + 3, scale, candidate)


def _rectangles(top: int, scale: float, bar: Bar) -> Iterator[str]:
    for style, start, length in (
        ("buffer", 0, bar.numel),
        ("inside", 0, bar.inside),
        ("outside", bar.numel, bar.past_end),
    ):
        if length:
            x, width = LABEL + start * scale, max(1.0, length * scale)
            yield f'<rect class="{style}" x="{x:.1f}" y="{top}" width="{width:.1f}" height="{BAR}"/>'
